import { expect, it } from 'vitest';
import { inTurns } from '../../../lib/async/in-turns.ts';
import { Stopper } from '../../../lib/async/stop.ts';

const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Work that ends when it is told to. */
function works() {
  const ends = new Map<number, (error?: Error) => void>();
  const work = (item: number) =>
    new Promise<void>((resolve, reject) => {
      ends.set(item, (error) => (error === undefined ? resolve() : reject(error)));
    });
  const end = async (item: number, error?: Error) => {
    ends.get(item)?.(error);
    await settled();
  };
  return { work, end, begun: () => [...ends.keys()] };
}

it('does the work for all, no more than so many at a time', async () => {
  const { work, end, begun } = works();
  const all = inTurns([1, 2, 3], 2, work);
  expect(begun()).toEqual([1, 2]);
  await end(2);
  expect(begun()).toEqual([1, 2, 3]);
  for (const item of [1, 3]) await end(item);
  await all;
});

it('begins no other once one has failed, and waits for those under way', async () => {
  const { work, end, begun } = works();
  let isOver = false;
  const all = inTurns([1, 2, 3], 2, work).finally(() => {
    isOver = true;
  });
  const outcome = expect(all).rejects.toThrow('first');
  await end(2, new Error('first'));
  expect(isOver).toBe(false);
  await end(1, new Error('second'));
  await outcome;
  expect(begun()).toEqual([1, 2]);
});

it('begins no other once it is stopped', async () => {
  const { work, end, begun } = works();
  const stop = new Stopper();
  const all = inTurns([1, 2], 1, work, stop);
  const outcome = expect(all).rejects.toMatchObject({
    name: 'AbortError',
    cause: 'enough',
    rolledBack: false,
  });
  stop.stop('enough');
  await end(1);
  await outcome;
  expect(begun()).toEqual([1]);
});
