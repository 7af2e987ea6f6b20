import { expect, it } from 'vitest';
import { Running } from '../../lib/running.ts';

it('has ended at once when nothing is under way', async () => {
  const running = new Running();
  await running.ended();
  running.begin();
  running.end();
  await running.ended();
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
