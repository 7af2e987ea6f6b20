import { type Stop, Stopper } from '../../async/stop.ts';
import type { Slot } from './slot.ts';

/** After a slot that was given up; doubled by each failure in a row. */
const shortestPauseMs = 100;
const longestPauseMs = 5_000;
/** A VM that somebody else is about may take long to get its slot. */
const callersPatienceMs = 50;
/** So long after the last of a row of callers none is to be expected. */
const callersPauseMs = 5;

export interface FillingOptions {
  /** How many slots are to be built; asked again before each. */
  missing(): number;
  /** Whether callers still find slots. */
  hasReady(): boolean;
  build(stop: Stop): Promise<Slot>;
  built(slot: Slot): void;
  /** `inARow`: with this one. */
  failed(error: unknown, inARow: number): void;
}

/** Slots are built one at a time, behind whoever wanted one before, and behind whatever else the control thread has to do. */
export class Filling {
  readonly #options: FillingOptions;
  /** Slots that are getting a VM, and are waited for. */
  readonly #naming = new Set<Promise<unknown>>();
  #lastCallMs = Number.NEGATIVE_INFINITY;
  #isLastLeaving = false;
  #work: Promise<void> | null = null;
  #isBuilding = false;
  #stop = new Stopper();
  #pauseTimer: NodeJS.Timeout | null = null;
  #failures = 0;
  #ended = false;

  constructor(options: FillingOptions) {
    this.#options = options;
  }

  get isBuilding(): boolean {
    return this.#isBuilding;
  }

  /** Builds what is missing, unless it does so already or pauses. */
  adjust(): void {
    if (this.#work !== null || !this.#mayBuild) return;
    this.#work = this.#fill().finally(() => {
      this.#work = null;
    });
  }

  /** A caller's work, by which a slot gets its VM: the slot that is built in its place is not to keep it waiting. */
  beginNaming(work: Promise<unknown>): void {
    this.#called(false);
    this.#naming.add(work);
    this.adjust();
  }

  endNaming(work: Promise<unknown>): void {
    this.#naming.delete(work);
  }

  /** A VM goes. */
  leaving(): void {
    this.#called(true);
  }

  #called(isLeaving: boolean): void {
    this.#lastCallMs = performance.now();
    this.#isLastLeaving = isLeaving;
  }

  pause(): void {
    if (this.#pauseTimer !== null) clearTimeout(this.#pauseTimer);
    const pauseMs = Math.min(longestPauseMs, shortestPauseMs * 2 ** this.#failures);
    const resume = () => {
      this.#pauseTimer = null;
      this.adjust();
    };
    this.#pauseTimer = setTimeout(resume, pauseMs).unref();
  }

  /** Whether one was being built. */
  async giveUp(): Promise<boolean> {
    if (!this.#isBuilding) return false;
    this.pause();
    this.#stop.stop(null);
    await this.#work;
    // Its undo may have taken longer than the pause.
    this.adjust();
    return true;
  }

  /** Until what is being built is ready. */
  async settle(): Promise<void> {
    if (!this.#isBuilding) this.#stop.stop(null);
    await this.#work;
  }

  /** For good. */
  end(): void {
    this.#ended = true;
    this.#stop.stop(null);
    if (this.#pauseTimer !== null) clearTimeout(this.#pauseTimer);
  }

  get #mayBuild(): boolean {
    return !this.#ended && this.#pauseTimer === null && this.#options.missing() > 0;
  }

  async #fill(): Promise<void> {
    const stop = new Stopper();
    this.#stop = stop;
    const enoughMs = performance.now() + callersPatienceMs;
    while (!stop.stopped && this.#mayBuild) {
      await this.#untilCallersPause(enoughMs, stop);
      await this.#lettingCallersGoFirst(stop);
      if (stop.stopped || !this.#mayBuild) return;
      try {
        const slot = await this.#build(stop);
        this.#failures = 0;
        this.#options.built(slot);
      } catch (error) {
        if (stop.stopped) return;
        this.#failures += 1;
        this.#options.failed(error, this.#failures);
        this.pause();
        return;
      }
    }
  }

  async #build(stop: Stop): Promise<Slot> {
    this.#isBuilding = true;
    try {
      return await this.#options.build(stop);
    } finally {
      this.#isBuilding = false;
    }
  }

  /**
   * Callers who come one after the other are served many times as fast as slots can be built: while they find slots, or leave
   * them, none of them shares a processor, or the kernel's lock, with what replaces those that are gone.
   */
  async #untilCallersPause(enoughMs: number, stop: Stop): Promise<void> {
    while (!stop.stopped && (this.#isLastLeaving || this.#options.hasReady())) {
      const pauseMs = Math.min(this.#lastCallMs + callersPauseMs, enoughMs) - performance.now();
      if (pauseMs <= 0) return;
      await sleep(pauseMs, stop);
    }
  }

  /** Those who came before, not those who come meanwhile; nobody for long, and nobody twice. */
  async #lettingCallersGoFirst(stop: Stop): Promise<void> {
    const callers = [...this.#naming];
    if (stop.stopped || callers.length === 0) return;
    const served = new Stopper();
    const watch = stop.onStop(() => served.stop(null));
    void Promise.allSettled(callers).then(() => served.stop(null));
    await sleep(callersPatienceMs, served);
    watch.end();
    for (const caller of callers) this.#naming.delete(caller);
  }
}

/** For that long, or until it is stopped. */
function sleep(ms: number, stop: Stop): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      watch.end();
      resolve();
    };
    const timer = setTimeout(end, Math.ceil(ms));
    const watch = stop.onStop(end);
  });
}
