import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Recycling } from '../../../lib/backends/pool-recycling.ts';
import type { Slot } from '../../../lib/backends/slot.ts';
import type { NativeError } from '../../../lib/native/error.ts';
import type { SlotProofs } from '../../../lib/native/slots.ts';

const slotOf = (handle: number) => ({ handle }) as Slot;
const refusal = Object.assign(new Error('no memory'), { code: 'ENOMEM' }) as NativeError;

interface Wishes {
  readonly awaited?: boolean;
  readonly readingMs?: number;
  prove?(handles: readonly number[]): Promise<SlotProofs>;
  reset?(handles: readonly number[]): Promise<(NativeError | null)[]>;
}

/** With an addon that finds nothing against any slot, unless it is told to. */
function recycling({ awaited = false, readingMs = 0, prove, reset }: Wishes = {}) {
  const seen = { calls: [] as string[], ready: [] as number[], spoilt: [] as number[] };
  const log = (verb: string, slots: readonly number[]) => seen.calls.push(`${verb} ${slots.length}`);
  const subject = new Recycling({
    restMs: 0,
    isAwaited: () => awaited,
    ready: (slots) => seen.ready.push(...slots.map(({ handle }) => handle)),
    spoilt: (verdicts) => seen.spoilt.push(...verdicts.map(([{ handle }]) => handle)),
    binding: {
      slotsProve: ({ slots }) => {
        log('prove', slots);
        return prove?.(slots) ?? Promise.resolve({ against: slots.map(() => null), readingMs });
      },
      slotsReset: ({ slots }) => {
        log('reset', slots);
        return reset?.(slots) ?? Promise.resolve(slots.map(() => null));
      },
    },
  });
  return { subject, seen };
}

function addMany(subject: Recycling, count: number): void {
  for (let handle = 0; handle < count; handle++) subject.add(slotOf(handle));
}

it.each([
  ['that somebody waits for: a few at a time', { awaited: true, readingMs: 1 }, 8],
  ['that nobody waits for: many at a time', { awaited: false, readingMs: 0 }, 64],
])('slots %s', async (_name, wishes, most) => {
  const { subject, seen } = recycling(wishes);
  addMany(subject, 100);
  await subject.settle();
  const sizes = seen.calls.filter((call) => call.startsWith('prove')).map((call) => Number(call.slice(6)));
  expect(Math.max(...sizes)).toBe(most);
  expect(seen.ready.toSorted((one, other) => one - other)).toEqual([...Array(100).keys()]);
  expect(subject.size).toBe(0);
});

it('share a reading that is dear, though somebody waits', async () => {
  const { subject, seen } = recycling({ awaited: true, readingMs: 20 });
  addMany(subject, 100);
  await subject.settle();
  expect(seen.calls.filter((call) => call.startsWith('prove'))).toEqual(['prove 1', 'prove 64', 'prove 35']);
});

it('are proven while those before them are reset', async () => {
  let finish = () => {};
  const first = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const { subject, seen } = recycling({
    awaited: true,
    reset: async (slots) => {
      await first;
      return slots.map(() => null);
    },
  });
  addMany(subject, 12);
  await sleep(1);
  expect(seen.calls).toEqual(['prove 1', 'reset 1', 'prove 8']);
  expect(subject.size).toBe(12);
  finish();
  await subject.settle();
  expect(seen.ready).toHaveLength(12);
});

it('are ready a few at a time, before those that were proven with them', async () => {
  const readyBefore: number[] = [];
  const { subject, seen } = recycling({
    reset: async (slots) => {
      readyBefore.push(seen.ready.length);
      return slots.map((handle) => (handle === 5 ? refusal : null));
    },
  });
  addMany(subject, 21);
  await subject.settle();
  expect(seen.calls.filter((call) => call.startsWith('reset'))).toEqual([
    ...['reset 1', 'reset 8', 'reset 8', 'reset 4'],
  ]);
  expect(readyBefore).toEqual([0, 1, 8, 16]);
  expect([seen.spoilt, seen.ready.length, subject.size]).toEqual([[5], 20, 0]);
});

it.each([
  ['proof', { prove: () => Promise.reject(refusal) }],
  ['reset', { reset: () => Promise.reject(refusal) }],
])('are spoilt by a %s that can not be had, and by no more', async (_name, wishes) => {
  const { subject, seen } = recycling(wishes);
  addMany(subject, 3);
  await subject.settle();
  expect(seen.spoilt.toSorted()).toEqual([0, 1, 2]);
  expect(seen.ready).toEqual([]);
  expect(subject.size).toBe(0);
});
