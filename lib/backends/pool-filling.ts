import { type Stop, Stopper } from '../stop.ts';
import type { Slot } from './slot.ts';

/** After a slot that could not be built; doubled by each that follows. */
const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** A VM that somebody else is about may take long to get its slot. */
const callersPatienceMs = 50;

export interface FillingOptions {
  /** How many slots are to be built; asked again before each. */
  missing(): number;
  build(stop: Stop): Promise<Slot>;
  built(slot: Slot): void;
  /** `inARow`: with this one. */
  failed(error: unknown, inARow: number): void;
}

/** Slots are built one at a time, behind whoever wanted one before, and behind whatever else the control thread has to do. */
export class Filling {
  readonly #options: FillingOptions;
  /** Slots that are getting a VM. */
  readonly #naming = new Set<Promise<unknown>>();
  #work: Promise<void> | null = null;
  #stop = new Stopper();
  #pauseTimer: NodeJS.Timeout | null = null;
  #failures = 0;
  #ended = false;

  constructor(options: FillingOptions) {
    this.#options = options;
  }

  get isBuilding(): boolean {
    return this.#work !== null;
  }

  /** Builds what is missing, unless it does so already or pauses. */
  adjust(): void {
    if (this.#work !== null || !this.#mayBuild) return;
    this.#work = this.#fill().finally(() => {
      this.#work = null;
    });
  }

  /** A caller's work, which the next slot is not to keep waiting. */
  async naming<T>(work: Promise<T>): Promise<T> {
    this.#naming.add(work);
    try {
      return await work;
    } finally {
      this.#naming.delete(work);
    }
  }

  pause(): void {
    if (this.#pauseTimer !== null) clearTimeout(this.#pauseTimer);
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** this.#failures);
    const resume = () => {
      this.#pauseTimer = null;
      this.adjust();
    };
    this.#pauseTimer = setTimeout(resume, pauseMs).unref();
  }

  /** Whether there was one to give up. */
  async giveUp(): Promise<boolean> {
    if (this.#work === null) return false;
    this.pause();
    this.#stop.stop(null);
    await this.#work;
    return true;
  }

  /** Until what is being built is ready, or given up. */
  async settle(): Promise<void> {
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
    for (;;) {
      await this.#lettingCallersGoFirst();
      if (stop.stopped || !this.#mayBuild) return;
      try {
        const slot = await this.#options.build(stop);
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

  /** Those who came before, not those who come meanwhile. */
  async #lettingCallersGoFirst(): Promise<void> {
    if (this.#naming.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, callersPatienceMs);
    });
    await Promise.race([Promise.allSettled(this.#naming), patience]);
    clearTimeout(timer);
  }
}
