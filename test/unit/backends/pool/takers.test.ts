import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Stopper } from '../../../../lib/async/stop.ts';
import type { Slot } from '../../../../lib/backends/pool/slot.ts';
import { Takers } from '../../../../lib/backends/pool/takers.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const slots = [1, 2, 3].map((handle) => ({ handle }) as Slot);

describe('who waits for a slot', () => {
  it('is served in the order of coming; the rest of the slots is left', async () => {
    const takers = new Takers();
    const waiting = [takers.wait(new Stopper()), takers.wait(new Stopper())];
    expect(takers.size).toBe(2);
    expect(takers.serve(slots)).toEqual([slots[2]]);
    expect(await Promise.all(waiting)).toEqual([slots[0], slots[1]]);
    expect(takers.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is told in time that there is none', async () => {
    const takers = new Takers();
    const waiting = takers.wait(new Stopper());
    vi.advanceTimersByTime(50);
    expect(await waiting).toBeNull();
    expect(takers.serve(slots)).toEqual(slots);
  });

  it('goes when it is stopped', async () => {
    const takers = new Takers();
    const stop = new Stopper();
    const waiting = takers.wait(stop);
    stop.stop(null);
    expect(await waiting).toBeNull();
    expect([takers.size, vi.getTimerCount()]).toEqual([0, 0]);
  });

  it('gets null when the pool closes', async () => {
    const takers = new Takers();
    const waiting = [takers.wait(new Stopper()), takers.wait(new Stopper())];
    takers.dismiss();
    expect(await Promise.all(waiting)).toEqual([null, null]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
