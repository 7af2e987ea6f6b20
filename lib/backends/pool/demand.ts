import type { PoolConfig } from '../../settings.ts';

/** How many slots a pool should have ready: as many as were asked for within a second, lately. */

const windowMs = 1_000;
/** What is left of a peak after each window without one. */
const memory = 0.9;

export class Demand {
  readonly #min: number;
  readonly #max: number;
  readonly #onChange: () => void;
  #count = 0;
  #peak = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor({ min, max }: Pick<PoolConfig, 'min' | 'max'>, onChange: () => void) {
    this.#min = min;
    this.#max = max;
    this.#onChange = onChange;
  }

  get target(): number {
    return Math.min(this.#max, Math.max(this.#min, this.#peak, this.#count));
  }

  /** Somebody wants a slot. */
  count(): void {
    this.#count += 1;
    this.watch();
  }

  /** There is to be a change at the end of a window, even if nobody wants a slot. */
  watch(): void {
    this.#timer ??= setInterval(() => this.#next(), windowMs).unref();
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #next(): void {
    this.#peak = Math.max(this.#count, Math.floor(this.#peak * memory));
    this.#count = 0;
    if (this.#peak === 0) this.close();
    this.#onChange();
  }
}
