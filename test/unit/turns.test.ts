import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Turns } from '../../lib/turns.ts';

/** What has begun so far, of as many that are asked for at once. */
function begin(turns: Turns, count: number) {
  const begun: number[] = [];
  const all = Array.from({ length: count }, (_, index) =>
    turns.run(async () => {
      begun.push(index);
      return index;
    }),
  );
  return { begun, all: Promise.all(all) };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

it('begins a few at once, without a turn between', () => {
  expect(begin(new Turns(), 3).begun).toEqual([0, 1, 2]);
});

it('begins the others in the turns that follow, in the order of asking, and gives each its result', async () => {
  const turns = new Turns();
  const { begun, all } = begin(turns, 500);
  const first = begun.length;
  expect(first).toBeLessThan(100);
  // Whoever asks later doesn't overtake, though there would be room in the present turn.
  const last = turns.run(async () => {
    expect(begun.length).toBe(500);
  });
  let turnsTaken = 0;
  for (let before = first; before < 500; before = begun.length) {
    await nextTurn();
    turnsTaken += 1;
    expect(begun.length - before).toBeLessThan(100);
  }
  expect(turnsTaken).toBeGreaterThan(3);
  expect(begun).toEqual(upTo(500));
  expect(await all).toEqual(upTo(500));
  await last;
});

it('goes on when work fails', async () => {
  const turns = new Turns();
  const failures = Array.from({ length: 100 }, () => turns.run(() => Promise.reject(new Error('no'))));
  const outcomes = await Promise.allSettled(failures);
  expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
  expect(await turns.run(async () => 'done')).toBe('done');
});
