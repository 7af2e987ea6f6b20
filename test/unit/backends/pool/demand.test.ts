import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Demand } from '../../../../lib/backends/pool/demand.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const asked = (demand: Demand, times: number) => {
  for (let i = 0; i < times; i += 1) demand.count();
};

describe('how many slots should be ready', () => {
  it('is the least number while nobody asks, and never more than the most', () => {
    const demand = new Demand({ min: 2, max: 10 }, () => {});
    expect(demand.target).toBe(2);
    asked(demand, 7);
    expect(demand.target).toBe(7);
    asked(demand, 7);
    expect(demand.target).toBe(10);
  });

  it('follows a peak at once, and forgets it bit by bit', () => {
    const targets: number[] = [];
    const demand: Demand = new Demand({ min: 1, max: 100 }, () => void targets.push(demand.target));
    asked(demand, 10);
    vi.advanceTimersByTime(1_000);
    asked(demand, 50);
    vi.advanceTimersByTime(4_000);
    expect(targets).toEqual([10, 50, 45, 40, 36]);
    vi.advanceTimersByTime(60_000);
    expect(targets.at(-1)).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });
});
