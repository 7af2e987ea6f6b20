import { expect, it } from 'vitest';
import { native } from '../../support/native.ts';

const tasks = 300;

/** So long nothing is settled: most of them end meanwhile. */
function keepBusy(ms: number): void {
  for (const end = performance.now() + ms; performance.now() < end; );
}

it('settles what has ended all at once a little in each turn of the event loop', async () => {
  let settled = 0;
  let most = 0;
  const read = () => native.sysctlRead({ key: 'kernel/ostype' });
  const all = Array.from({ length: tasks }, async () => {
    const text = await read();
    settled += 1;
    return text;
  });
  keepBusy(300);
  expect(settled).toBe(0);
  let before = 0;
  const look = () => {
    most = Math.max(most, settled - before);
    before = settled;
  };
  const turn = () => {
    look();
    if (settled < tasks) setImmediate(turn);
  };
  setImmediate(turn);
  expect(new Set(await Promise.all(all)).size).toBe(1);
  look();
  expect(most).toBeLessThan(50);
});
