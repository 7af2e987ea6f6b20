import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { Stopper } from '../../../../lib/async/stop.ts';
import { Recycling } from '../../../../lib/backends/pool/recycling.ts';
import type { Slot } from '../../../../lib/backends/pool/slot.ts';
import type { NativeError } from '../../../../lib/native/error.ts';
import type { SlotProofs } from '../../../../lib/native/slots.ts';

const patience = { timeout: 8_000 };
const slotOf = (handle: number) => ({ handle }) as Slot;
const refusal = Object.assign(new Error('no memory'), { code: 'ENOMEM' }) as NativeError;

interface Wishes {
  readonly awaited?: boolean;
  readonly short?: boolean;
  readonly readingMs?: number;
  /** By an entry. */
  readonly searchingMs?: number;
  readonly restMs?: number;
  cut?(handles: readonly number[]): Promise<(NativeError | null)[]>;
  prove?(handles: readonly number[]): Promise<SlotProofs>;
  enter?(handles: readonly number[]): Promise<(NativeError | null)[]>;
  reset?(handles: readonly number[]): Promise<(NativeError | null)[]>;
}

/** With an addon that finds nothing against any slot, unless it is told to. */
function recycling(wishes: Wishes = {}) {
  const { awaited = false, short = false, readingMs = 0, searchingMs = 0, restMs = 0 } = wishes;
  const { cut, prove, enter, reset } = wishes;
  const seen = { calls: [] as string[], ready: [] as number[], spoilt: [] as number[] };
  const log = (verb: string, slots: readonly number[]) => seen.calls.push(`${verb} ${slots.length}`);
  const subject = new Recycling({
    restMs,
    isAwaited: () => awaited,
    isShort: () => short,
    ready: (slots) => seen.ready.push(...slots.map(({ handle }) => handle)),
    spoilt: (verdicts) => seen.spoilt.push(...verdicts.map(([{ handle }]) => handle)),
    binding: {
      slotsCut: ({ slots }) => {
        log('cut', slots);
        return cut?.(slots) ?? Promise.resolve(slots.map(() => null));
      },
      slotsProve: ({ slots }) => {
        log('prove', slots);
        return prove?.(slots) ?? Promise.resolve({ against: slots.map(() => null), readingMs });
      },
      slotsEnter: ({ slots }) => {
        log('enter', slots);
        const against = enter?.(slots) ?? Promise.resolve(slots.map(() => null));
        return against.then((verdicts) => ({ against: verdicts, readingMs: searchingMs }));
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

async function untilClean(subject: Recycling): Promise<void> {
  for (; subject.size > 0; await sleep(0)) await subject.settle();
}

const clean = (slots: readonly number[]) => slots.map(() => null);
const sizesOf = (verb: string, calls: readonly string[]) =>
  calls.filter((call) => call.startsWith(verb)).map((call) => Number(call.split(' ')[1]));

it('slots share a reading of the host, and are ready a few at a time', async () => {
  const readyBefore: number[] = [];
  const { subject, seen } = recycling({
    reset: async (slots) => {
      readyBefore.push(seen.ready.length);
      return slots.map((handle) => (handle === 5 ? refusal : null));
    },
  });
  addMany(subject, 86);
  await untilClean(subject);
  expect(sizesOf('prove', seen.calls)).toEqual([1, 64, 21]);
  const portions = [...[1, 8, 8, 8, 8, 8, 8, 8, 8], ...[8, 8, 5]];
  expect(sizesOf('enter', seen.calls)).toEqual(portions);
  expect(sizesOf('reset', seen.calls)).toEqual(portions);
  expect(readyBefore.slice(0, 4)).toEqual([0, 1, 8, 16]);
  expect([seen.spoilt, seen.ready.length, subject.size]).toEqual([[5], 85, 0]);
});

it.each([
  ['', { readingMs: 1 }, [1, 8, 2]],
  [', and share a reading that is dear', { readingMs: 20 }, [1, 10]],
])('are ready fewer at a time while somebody waits%s', async (_name, wishes, readings) => {
  const { subject, seen } = recycling({ awaited: true, ...wishes });
  addMany(subject, 11);
  await untilClean(subject);
  expect(sizesOf('prove', seen.calls)).toEqual(readings);
  expect(Math.max(...sizesOf('reset', seen.calls))).toBe(4);
  expect(seen.ready).toHaveLength(11);
});

it('pause for what was read of the host, by proofs and by entries, unless slots are short or awaited', async () => {
  const took = async (wishes: Wishes) => {
    const { subject, seen } = recycling(wishes);
    const begin = performance.now();
    addMany(subject, 66);
    await vi.waitFor(() => expect(seen.ready).toHaveLength(66), { ...patience, interval: 1 });
    return performance.now() - begin;
  };
  // Three times what each of two proofs, or the entries of the first, have read.
  expect(await took({ readingMs: 10 })).toBeGreaterThan(55);
  expect(await took({ searchingMs: 10 })).toBeGreaterThan(25);
  expect(await took({ readingMs: 1_000, searchingMs: 1_000, awaited: true })).toBeLessThan(2_000);
  expect(await took({ readingMs: 1_000, searchingMs: 1_000, short: true })).toBeLessThan(2_000);
});

it('are cleaned at once when slots begin to be short', async () => {
  const { subject, seen } = recycling({ readingMs: 20_000 });
  addMany(subject, 2);
  await vi.waitFor(() => expect(seen.ready).toEqual([0]), patience);
  expect(sizesOf('prove', seen.calls)).toEqual([1]);
  subject.hurry();
  await vi.waitFor(() => expect(seen.ready).toEqual([0, 1]), patience);
});

it('are proven and entered while those before them are reset', async () => {
  let finish = () => {};
  const first = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const { subject, seen } = recycling({ reset: (slots) => first.then(() => clean(slots)) });
  addMany(subject, 12);
  const calls = ['enter 1', 'prove 1', 'prove 11', 'reset 1'];
  await vi.waitFor(() => expect(seen.calls.toSorted()).toEqual(calls), patience);
  expect(subject.size).toBe(12);
  finish();
  await untilClean(subject);
  expect(seen.calls.slice(4)).toEqual(['enter 8', 'reset 8', 'enter 3', 'reset 3']);
  expect(seen.ready).toHaveLength(12);
});

it('that are refused in their namespace are not reset', async () => {
  const { subject, seen } = recycling({
    enter: async (slots) => slots.map((handle) => (handle % 2 === 0 ? refusal : null)),
  });
  addMany(subject, 6);
  await untilClean(subject);
  expect(sizesOf('reset', seen.calls)).toEqual([3]);
  expect([seen.ready, seen.spoilt, subject.size]).toEqual([[1, 3, 5], [0, 2, 4], 0]);
});

const busy = Object.assign(new Error('a socket is open'), { code: 'EBUSY' }) as NativeError;
const inUse = Object.assign(new Error('a socket is open'), {
  code: 'EBUSY',
  reason: 'slot-spoilt',
}) as NativeError;

it.each([
  ['that somebody is about to leave are tried again', { enter: inUse }, 2, []],
  ['of which the kernel says so for another reason are spoilt', { enter: busy }, 1, [0]],
  ['that were entered are not tried again', { reset: inUse }, 1, [0]],
])('%s', async (_name, refusals, tries, spoilt) => {
  let left = 1;
  const once = (error: NativeError | undefined) => async (slots: readonly number[]) =>
    slots.map(() => (error !== undefined && left-- > 0 ? error : null));
  const { enter, reset } = refusals as { enter?: NativeError; reset?: NativeError };
  const { subject, seen } = recycling({ enter: once(enter), reset: once(reset) });
  addMany(subject, 1);
  await vi.waitFor(() => expect(seen.ready.length + seen.spoilt.length).toBe(1), patience);
  expect(sizesOf('prove', seen.calls)).toHaveLength(tries);
  expect([seen.spoilt, subject.size]).toEqual([spoilt, 0]);
});

it('that somebody is about to leave are tried again, though this process was kept from looking in time', async () => {
  let left = 4;
  const { subject, seen } = recycling({
    enter: async (slots) => {
      for (const end = performance.now() + 100; performance.now() < end; );
      return slots.map(() => (left-- > 0 ? inUse : null));
    },
  });
  addMany(subject, 1);
  await vi.waitFor(() => expect(seen.ready.length + seen.spoilt.length).toBe(1), patience);
  expect([seen.ready, seen.spoilt]).toEqual([[0], []]);
  left = 5;
  addMany(subject, 1);
  await vi.waitFor(() => expect(seen.spoilt).toEqual([0]), patience);
});

it.each([
  ['a proof', { prove: () => Promise.reject(refusal) }],
  ['an entry', { enter: () => Promise.reject(refusal) }],
  ['a reset', { reset: () => Promise.reject(refusal) }],
])('are spoilt by %s that can not be had, and by no more', async (_name, wishes) => {
  const { subject, seen } = recycling(wishes);
  addMany(subject, 3);
  await untilClean(subject);
  expect(seen.spoilt.toSorted()).toEqual([0, 1, 2]);
  expect(seen.ready).toEqual([]);
  expect(subject.size).toBe(0);
});

it('are waited for one by one, though others keep coming', async () => {
  let handle = 1;
  let isOver = false;
  const { subject, seen } = recycling({
    reset: async (slots) => {
      await sleep(1);
      if (!isOver) subject.add(slotOf(++handle));
      return clean(slots);
    },
  });
  subject.add(slotOf(0));
  await sleep(0);
  subject.add(slotOf(1));
  expect(await subject.settleOne((slot) => slot.handle === 0, new Stopper())).toBe(true);
  expect(seen.ready).toContain(0);
  expect(subject.size).toBeGreaterThan(0);
  expect(await subject.settleOne((slot) => slot.handle === -1, new Stopper())).toBe(false);
  isOver = true;
  await untilClean(subject);
});

it('are waited for until who waits is stopped', async () => {
  const { subject } = recycling({ prove: () => new Promise(() => {}) });
  subject.add(slotOf(0));
  const stop = new Stopper();
  const settled = subject.settleOne(() => true, stop);
  stop.stop(null);
  expect(await settled).toBe(true);
  expect(subject.size).toBe(1);
});

it('cuts those that rest against who may be in their namespaces, together, once who left them has gone on', async () => {
  const { subject, seen } = recycling({ restMs: 200 });
  addMany(subject, 3);
  expect(seen.calls).toEqual([]);
  await untilClean(subject);
  expect(seen.calls[0]).toBe('cut 3');
  expect(sizesOf('cut', seen.calls)).toEqual([3]);
  expect(seen).toMatchObject({ ready: [0, 1, 2], spoilt: [] });
});

it('destroys one that can’t be cut like that, and keeps the others', async () => {
  const cut = async (handles: readonly number[]) => handles.map((handle) => (handle === 1 ? refusal : null));
  const { subject, seen } = recycling({ restMs: 200, cut });
  addMany(subject, 3);
  await untilClean(subject);
  expect(seen).toMatchObject({ ready: [0, 2], spoilt: [1] });
});

it('cuts none that has been given away meanwhile, nor one that is as good as new at once', async () => {
  const { subject, seen } = recycling({ restMs: 200 });
  addMany(subject, 2);
  expect(subject.take(() => true)).toHaveLength(2);
  await sleep(0);
  const { subject: other, seen: atOnce } = recycling();
  addMany(other, 1);
  await untilClean(other);
  expect(seen.calls).toEqual([]);
  expect(atOnce.calls).toEqual(['prove 1', 'enter 1', 'reset 1']);
});

it('cuts one that somebody is about to leave', async () => {
  const inUse = Object.assign(new Error('in use'), { code: 'EBUSY', reason: 'slot-spoilt' }) as NativeError;
  let tries = 0;
  const prove = async (handles: readonly number[]) => {
    tries += 1;
    return { against: handles.map(() => (tries === 1 ? inUse : null)), readingMs: 0 };
  };
  const { subject, seen } = recycling({ prove });
  // Who is kept from looking for as long as is between two tries would prove it again before it is cut.
  const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
  try {
    addMany(subject, 1);
    await vi.waitFor(() => expect(seen.calls).toContain('cut 1'), patience);
  } finally {
    clock.mockRestore();
  }
  await untilClean(subject);
  expect(seen.calls).toEqual(['prove 1', 'cut 1', 'prove 1', 'enter 1', 'reset 1']);
});
