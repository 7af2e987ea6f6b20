import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Running } from '../../../lib/async/running.ts';

it('has ended at once when nothing is under way', async () => {
  const running = new Running();
  const hasEnded = () => Promise.race([running.ended().then(() => true), setImmediate(false)]);
  expect(await hasEnded()).toBe(true);
  running.begin();
  expect(await hasEnded()).toBe(false);
  running.end();
  expect(await hasEnded()).toBe(true);
});

it('has ended for all who wait when the last has', async () => {
  const running = new Running();
  const seen: string[] = [];
  running.begin();
  running.begin();
  const waiting = ['a', 'b'].map((each) => running.ended().then(() => seen.push(each)));
  running.end();
  await Promise.resolve();
  expect(seen).toEqual([]);
  running.begin();
  running.end();
  running.end();
  await Promise.all(waiting);
  expect(seen).toEqual(['a', 'b']);
});
