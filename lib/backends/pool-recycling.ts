import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NativeBinding } from '../native/binding.ts';
import type { NativeError } from '../native/error.ts';
import type { SlotProofs } from '../native/slots.ts';
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
/** Reading what the whole host has takes that share of the time at most, while nobody waits for a slot. */
const share = 1 / 4;
/** What is shorter is not worth a timer. */
const shortestPauseMs = 1;

/** So long is waited for processes that end, and for sockets that the kernel has yet to free. */
const graceMs = 250;
const betweenTriesMs = 10;

interface Resting {
  readonly slot: Slot;
  readonly dueMs: number;
  readonly lastMs: number;
}

export interface RecyclingOptions {
  readonly binding: Pick<NativeBinding, 'slotsProve' | 'slotsEnter' | 'slotsReset'>;
  readonly restMs: number;
  /** Whether somebody waits for a slot. */
  isAwaited(): boolean;
  /** They are as good as new. */
  ready(slots: readonly Slot[]): void;
  /** They can't be proven to be. */
  spoilt(slots: readonly Verdict[]): void;
}

export class Recycling {
  readonly #options: RecyclingOptions;
  #resting: Resting[] = [];
  /** Taken from those that rest, and neither ready nor spoilt yet. */
  #cleaning = 0;
  #isReadingDear = false;
  #work: Promise<void> = Promise.resolve();
  #working = false;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: RecyclingOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#resting.length + this.#cleaning;
  }

  add(slot: Slot): void {
    const dueMs = performance.now() + this.#options.restMs;
    this.#resting.push({ slot, dueMs, lastMs: dueMs + graceMs });
    this.#schedule();
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

  /** Until those that have rested enough are ready, or are not. */
  settle(): Promise<void> {
    return this.#work;
  }

  #schedule(): void {
    if (this.#working || this.#timer !== null || this.#resting.length === 0) return;
    const leftMs = Math.min(...this.#resting.map(({ dueMs }) => dueMs)) - performance.now();
    if (leftMs <= 0) {
      this.#working = true;
      this.#work = this.#clean().finally(() => {
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
      this.#cleaning += batch.length;
      const [{ against, readingMs }] = await Promise.all([this.#prove(batch), resetting]);
      resetting = this.#finish(batch, against);
      if (batch.length <= provenAtOnceAwaited) this.#isReadingDear = readingMs > dearReadingMs;
      const pauseMs = readingMs * (1 / share - 1);
      if (pauseMs >= shortestPauseMs && !this.#options.isAwaited()) {
        await Promise.all([sleep(pauseMs), resetting]);
        resetting = null;
      }
    }
  }

  async #prove(batch: readonly Resting[]): Promise<SlotProofs> {
    try {
      return await this.#options.binding.slotsProve({ slots: handlesOf(slotsOf(batch)) });
    } catch (error) {
      return { against: batch.map(() => error as NativeError), readingMs: 0 };
    }
  }

  /** A few at a time; while those are reset, the next are entered. */
  async #finish(batch: readonly Resting[], against: SlotProofs['against']): Promise<void> {
    const { binding, isAwaited } = this.#options;
    const proofs = verdicts(slotsOf(batch), against);
    this.#refuse(batch, proofs.unclean);
    let resetting: Promise<void> | null = null;
    for (let left = proofs.clean; left.length > 0; ) {
      const most = isAwaited() ? resetAtOnceAwaited : resetAtOnce;
      const portion = left.slice(0, most);
      left = left.slice(most);
      const [entries] = await Promise.all([judge(portion, (plan) => binding.slotsEnter(plan)), resetting]);
      this.#refuse(batch, entries.unclean);
      resetting = this.#reset(entries.clean);
    }
    await resetting;
  }

  async #reset(entered: readonly Slot[]): Promise<void> {
    if (entered.length === 0) return;
    const { binding, ready, spoilt } = this.#options;
    const { clean, unclean } = await judge(entered, (plan) => binding.slotsReset(plan));
    this.#cleaning -= entered.length;
    if (clean.length > 0) ready(clean);
    if (unclean.length > 0) spoilt(unclean);
  }

  #refuse(batch: readonly Resting[], unclean: readonly Verdict[]): void {
    this.#cleaning -= unclean.length;
    const again = this.#again(batch, unclean);
    const spoilt = unclean.filter(([slot]) => !again.has(slot));
    if (spoilt.length > 0) this.#options.spoilt(spoilt);
  }

  /** Those that somebody is about to leave: they rest a little longer. */
  #again(batch: readonly Resting[], unclean: readonly Verdict[]): ReadonlySet<Slot> {
    const dueMs = performance.now() + betweenTriesMs;
    const isInUse = ([, { code, reason }]: Verdict) => code === 'EBUSY' && reason === 'slot-spoilt';
    const busy = new Set(unclean.filter(isInUse).map(([slot]) => slot));
    const again = batch.filter(({ slot, lastMs }) => busy.has(slot) && lastMs > dueMs);
    this.#resting.push(...again.map(({ slot, lastMs }) => ({ slot, lastMs, dueMs })));
    return new Set(again.map(({ slot }) => slot));
  }
}

type Verdict = readonly [slot: Slot, against: NativeError];

const slotsOf = (batch: readonly Resting[]): readonly Slot[] => batch.map(({ slot }) => slot);
const handlesOf = (slots: readonly Slot[]): readonly number[] => slots.map(({ handle }) => handle);

async function judge(
  slots: readonly Slot[],
  call: (plan: { readonly slots: readonly number[] }) => Promise<readonly (NativeError | null)[]>,
) {
  try {
    return verdicts(slots, await call({ slots: handlesOf(slots) }));
  } catch (error) {
    return verdicts(
      slots,
      slots.map(() => error as NativeError),
    );
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
