import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Turns } from '../../../lib/async/turns.ts';

/** What has begun so far, of as many that are asked for at once. `tookMs`: what keeps the loop busy each time. */
function begin(turns: Turns, count: number, tookMs = 0) {
  const begun: number[] = [];
  const work = async (index: number) => {
    const turn = turns.take();
    if (turn !== null) await turn;
    begun.push(index);
    for (const end = performance.now() + tookMs; performance.now() < end; );
    return index;
  };
  return { begun, all: Promise.all(Array.from({ length: count }, (_, index) => work(index))) };
}

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('turns', () => {
  it('are at once for a few', () => {
    expect(begin(new Turns(), 3).begun).toEqual([0, 1, 2]);
  });

  it.each([0, 0.1])('follow each other in the order of asking, when each takes %d ms', async (tookMs) => {
    const turns = new Turns();
    const { begun, all } = begin(turns, 500, tookMs);
    const first = begun.length;
    expect(first).toBeLessThan(100);
    // Whoever asks later doesn't overtake.
    const last = turns.take()?.then(() => begun.length);
    let turnsTaken = 0;
    for (let before = first; before < 500; before = begun.length) {
      await nextTurn();
      turnsTaken += 1;
      expect(begun.length - before).toBeLessThan(100);
    }
    expect(turnsTaken).toBeGreaterThan(3);
    expect(begun).toEqual(upTo(500));
    expect(await all).toEqual(upTo(500));
    expect(await last).toBe(500);
  });

  it('begin anew when nobody waits any more', async () => {
    const turns = new Turns();
    await begin(turns, 100).all;
    await nextTurn();
    await nextTurn();
    expect(begin(turns, 3).begun).toEqual([0, 1, 2]);
  });
});
