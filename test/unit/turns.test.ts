import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { AbortError } from '../../lib/errors.ts';
import { Stopper } from '../../lib/stop.ts';
import { Turns } from '../../lib/turns.ts';

const never = new Stopper();

/** What has begun so far, of as many that are asked for at once. `tookMs`: what keeps the loop busy each time. */
function begin(turns: Turns, count: number, tookMs = 0) {
  const begun: number[] = [];
  const all = Array.from({ length: count }, (_, index) =>
    turns.run(never, async () => {
      begun.push(index);
      for (const end = performance.now() + tookMs; performance.now() < end; );
      return index;
    }),
  );
  return { begun, all: Promise.all(all) };
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
    const last = turns.run(never, async () => begun.length);
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

  it('go on when work fails', async () => {
    const turns = new Turns();
    const failures = Array.from({ length: 100 }, () =>
      turns.run(never, () => Promise.reject(new Error('no'))),
    );
    const outcomes = await Promise.allSettled(failures);
    expect(outcomes.every(({ status }) => status === 'rejected')).toBe(true);
    expect(await turns.run(never, async () => 'done')).toBe('done');
  });

  it('are not waited for by whom is stopped, before or meanwhile', async () => {
    const turns = new Turns();
    const others = begin(turns, 200);
    const reason = new Error('enough');
    const stops = [new Stopper(), new Stopper()] as const;
    stops[0].stop(reason);
    const waiting = stops.map((stop) => turns.run(stop, async () => expect.unreachable()));
    stops[1].stop(reason);
    const [before, meanwhile] = await Promise.allSettled(waiting);
    for (const outcome of [before, meanwhile]) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { cause: reason } });
      expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(AbortError);
    }
    expect(others.begun.length).toBeLessThan(100);
    expect(await others.all).toEqual(upTo(200));
  });
});
