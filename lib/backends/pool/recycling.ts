import { performance } from 'node:perf_hooks';
import type { Stop } from '../../async/stop.ts';
import type { NativeBinding } from '../../native/binding.ts';
import type { NativeError } from '../../native/error.ts';
import type { SlotProofs } from '../../native/slots.ts';
import type { Slot } from './slot.ts';

/** Slots that VMs have left: they rest, are proven to be nobody's, and are made what they were. */

/** So many share a reading of what the whole host has. */
const provenAtOnce = 64;
/** While somebody waits: sooner ready, unless the reading is so dear that more have to share it. */
const provenAtOnceAwaited = 8;
const dearReadingMs = 8;
/** So many of them share what is done in the host's namespace, and are ready before the others. */
const resetAtOnce = 8;
/** While somebody waits. */
const resetAtOnceAwaited = 4;
/** Reading what the whole host has takes that share of the time at most, while there are slots enough. */
const share = 1 / 4;
/** What is shorter is not worth a timer. */
const shortestPauseMs = 1;

/** So long is waited for processes that end, and for sockets that the kernel has yet to free; and looked so often. */
const graceMs = 250;
const fewestTries = 5;
const betweenTriesMs = 10;

interface Resting {
  readonly slot: Slot;
  readonly dueMs: number;
  readonly lastMs: number;
  readonly tries: number;
}

export interface RecyclingOptions {
  readonly binding: Pick<NativeBinding, 'slotsCut' | 'slotsProve' | 'slotsEnter' | 'slotsReset'>;
  readonly restMs: number;
  /** Whether somebody waits for a slot. */
  isAwaited(): boolean;
  /** Whether somebody soon will, where none comes back. */
  isShort(): boolean;
  /** They are as good as new. */
  ready(slots: readonly Slot[]): void;
  /** They can't be proven to be. */
  spoilt(slots: readonly Verdict[]): void;
}

export class Recycling {
  readonly #options: RecyclingOptions;
  #resting: Resting[] = [];
  /** Of those that rest: cut off, but not against whoever may be in their namespaces. */
  #loose = new Set<Slot>();
  /** Taken from those that rest, and neither ready nor spoilt yet. */
  readonly #cleaning = new Set<Slot>();
  /** Whoever waits for some of them. */
  #watching: (() => void)[] = [];
  #isReadingDear = false;
  /** So long what the whole host has was read since the last pause. */
  #readMs = 0;
  #endPause = () => {};
  #working = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: RecyclingOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#resting.length + this.#cleaning.size;
  }

  add(slot: Slot): void {
    const dueMs = performance.now() + this.#options.restMs;
    this.#resting.push({ slot, dueMs, lastMs: dueMs + graceMs, tries: 0 });
    // One that is proven at once, and is in nobody's hands, is as good as new before somebody could do anything.
    if (this.#options.restMs > 0) this.#cutSoon([slot]);
    this.#schedule();
  }

  /** Once whoever has left them has gone on; all that come together at once. */
  #cutSoon(slots: readonly Slot[]): void {
    if (slots.length === 0) return;
    if (this.#loose.size === 0) setImmediate(() => void this.#cut());
    for (const slot of slots) this.#loose.add(slot);
  }

  async #cut(): Promise<void> {
    const loose = this.#loose;
    this.#loose = new Set();
    const slots = slotsOf(this.#resting.filter(({ slot }) => loose.has(slot)));
    if (slots.length === 0) return;
    const { unclean } = await this.#decide(slots, (plan) => this.#options.binding.slotsCut(plan));
    const spoilt = new Map(unclean);
    // Others have been taken since, and are being proven, or destroyed.
    const left = this.take((slot) => spoilt.has(slot));
    if (left.length > 0) this.#options.spoilt(unclean.filter(([slot]) => left.includes(slot)));
  }

  /** Slots are short now, or awaited. */
  hurry(): void {
    this.#endPause();
  }

  /** Those that rest, and are in nobody's hands. */
  take(which: (slot: Slot) => boolean, most = this.#resting.length): readonly Slot[] {
    return this.#take(({ slot }) => which(slot), most).map(({ slot }) => slot);
  }

  #take(which: (resting: Resting) => boolean, most: number): readonly Resting[] {
    const taken = new Set(this.#resting.filter(which).slice(0, most));
    this.#resting = this.#resting.filter((resting) => !taken.has(resting));
    return [...taken];
  }

  /** Until those that are being cleaned now are ready, or are not. */
  async settle(): Promise<void> {
    this.#endPause();
    let left = [...this.#cleaning];
    while (left.length > 0) {
      await this.#nextClean();
      left = left.filter((slot) => this.#cleaning.has(slot));
    }
  }

  /** Until one of them is, or until who waits is stopped. Whether there was any. */
  async settleOne(which: (slot: Slot) => boolean, stop: Stop): Promise<boolean> {
    this.#endPause();
    const all = [...this.#cleaning].filter(which);
    while (!stop.stopped && all.length > 0 && all.every((slot) => this.#cleaning.has(slot))) {
      await this.#nextClean(stop);
    }
    return all.length > 0;
  }

  /** Until some come out, or until who waits is stopped. */
  #nextClean(stop?: Stop): Promise<void> {
    return new Promise((resolve) => {
      const watch = stop?.onStop(resolve);
      this.#watching.push(() => {
        watch?.end();
        resolve();
      });
    });
  }

  /** Who waits looks once what has become of them is told. */
  #cleaned(slots: readonly Slot[]): void {
    for (const slot of slots) this.#cleaning.delete(slot);
    for (const tell of this.#watching.splice(0)) tell();
  }

  #schedule(): void {
    if (this.#working || this.#timer !== null || this.#resting.length === 0) return;
    const leftMs = Math.min(...this.#resting.map(({ dueMs }) => dueMs)) - performance.now();
    if (leftMs <= 0) {
      this.#working = true;
      void this.#clean().finally(() => {
        this.#working = false;
        this.#schedule();
      });
      return;
    }
    const due = () => {
      this.#timer = null;
      this.#schedule();
    };
    this.#timer = setTimeout(due, Math.ceil(leftMs)).unref();
  }

  /** While some are made what they were, the next are proven to be nobody's. */
  async #clean(): Promise<void> {
    let resetting: Promise<void> | null = null;
    for (;;) {
      const now = performance.now();
      const isUrgent = this.#options.isAwaited() && !this.#isReadingDear;
      const most = isUrgent ? provenAtOnceAwaited : provenAtOnce;
      const batch = this.#take(({ dueMs }) => dueMs <= now, most);
      if (batch.length === 0) {
        if (resetting === null) return;
        await resetting;
        resetting = null;
        continue;
      }
      for (const { slot } of batch) this.#cleaning.add(slot);
      const [{ clean, readingMs }] = await Promise.all([this.#prove(batch), resetting]);
      resetting = this.#finish(batch, clean);
      if (batch.length <= provenAtOnceAwaited) this.#isReadingDear = readingMs > dearReadingMs;
      const pauseMs = this.#readMs * (1 / share - 1);
      if (this.#options.isAwaited() || this.#options.isShort()) {
        this.#readMs = 0;
      } else if (pauseMs >= shortestPauseMs) {
        this.#readMs = 0;
        await Promise.all([this.#pause(pauseMs), resetting]);
        resetting = null;
      }
    }
  }

  #pause(pauseMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, pauseMs);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #prove(batch: readonly Resting[]) {
    const { binding } = this.#options;
    return this.#judge(batch, slotsOf(batch), (plan) => binding.slotsProve(plan));
  }

  /** A few at a time; while those are reset, the next are entered. */
  async #finish(batch: readonly Resting[], proven: readonly Slot[]): Promise<void> {
    const { binding, isAwaited } = this.#options;
    let resetting: Promise<void> | null = null;
    for (let left = proven; left.length > 0; ) {
      const most = isAwaited() ? resetAtOnceAwaited : resetAtOnce;
      const portion = left.slice(0, most);
      left = left.slice(most);
      const entering = this.#judge(batch, portion, (plan) => binding.slotsEnter(plan));
      const [{ clean }] = await Promise.all([entering, resetting]);
      resetting = this.#reset(clean);
    }
    await resetting;
  }

  /** Which of them nothing speaks against; the others are no longer cleaned. */
  async #judge(
    batch: readonly Resting[],
    slots: readonly Slot[],
    call: (plan: SlotsPlan) => Promise<SlotProofs>,
  ): Promise<{ readonly clean: readonly Slot[]; readonly readingMs: number }> {
    const { against, readingMs } = await proofsOf(slots, call);
    const { clean, unclean } = verdicts(slots, against);
    this.#readMs += readingMs;
    this.#refuse(batch, unclean);
    return { clean, readingMs };
  }

  async #decide(slots: readonly Slot[], call: (plan: SlotsPlan) => Promise<(NativeError | null)[]>) {
    const { against } = await proofsOf(slots, async (plan) => ({ against: await call(plan), readingMs: 0 }));
    return verdicts(slots, against);
  }

  async #reset(entered: readonly Slot[]): Promise<void> {
    if (entered.length === 0) return;
    const { binding, ready, spoilt } = this.#options;
    const { clean, unclean } = await this.#decide(entered, (plan) => binding.slotsReset(plan));
    this.#cleaned(entered);
    if (clean.length > 0) ready(clean);
    if (unclean.length > 0) spoilt(unclean);
  }

  #refuse(batch: readonly Resting[], unclean: readonly Verdict[]): void {
    this.#cleaned(unclean.map(([slot]) => slot));
    const again = this.#again(batch, unclean);
    const spoilt = unclean.filter(([slot]) => !again.has(slot));
    if (spoilt.length > 0) this.#options.spoilt(spoilt);
  }

  /** Those that somebody is about to leave: they rest a little longer. */
  #again(batch: readonly Resting[], unclean: readonly Verdict[]): ReadonlySet<Slot> {
    const dueMs = performance.now() + betweenTriesMs;
    const isInUse = ([, { code, reason }]: Verdict) => code === 'EBUSY' && reason === 'slot-spoilt';
    const busy = new Set(unclean.filter(isInUse).map(([slot]) => slot));
    // This process may have been kept from looking.
    const isEarly = ({ lastMs, tries }: Resting) => lastMs > dueMs || tries + 1 < fewestTries;
    const again = batch.filter((resting) => busy.has(resting.slot) && isEarly(resting));
    this.#resting.push(
      ...again.map(({ slot, lastMs, tries }) => ({ slot, lastMs, dueMs, tries: tries + 1 })),
    );
    const left = slotsOf(again);
    this.#cutSoon(left);
    return new Set(left);
  }
}

interface SlotsPlan {
  readonly slots: readonly number[];
}

type Verdict = readonly [slot: Slot, against: NativeError];

const slotsOf = (batch: readonly Resting[]): readonly Slot[] => batch.map(({ slot }) => slot);
const handlesOf = (slots: readonly Slot[]): readonly number[] => slots.map(({ handle }) => handle);

/** A call that fails speaks against each of them. */
async function proofsOf(
  slots: readonly Slot[],
  call: (plan: SlotsPlan) => Promise<SlotProofs>,
): Promise<SlotProofs> {
  try {
    return await call({ slots: handlesOf(slots) });
  } catch (error) {
    return { against: slots.map(() => error as NativeError), readingMs: 0 };
  }
}

function verdicts(slots: readonly Slot[], against: readonly (NativeError | null)[]) {
  const clean: Slot[] = [];
  const unclean: Verdict[] = [];
  for (const [index, slot] of slots.entries()) {
    const error = against[index] ?? null;
    if (error === null) clean.push(slot);
    else unclean.push([slot, error]);
  }
  return { clean, unclean };
}
