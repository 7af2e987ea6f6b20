import type { Stop } from '../../async/stop.ts';
import { AbortError } from '../../errors.ts';

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

/** Whoever waits until a pool has as many slots as it has at least. */
export class Warming {
  readonly #waiters = new Set<Waiter>();

  /** Rejects with what `fail` is told, or where it is stopped. */
  async wait(stop: Stop): Promise<void> {
    const waiter: Waiter = { resolve: () => {}, reject: () => {} };
    const warm = new Promise<void>((resolve, reject) => {
      waiter.resolve = resolve;
      waiter.reject = reject;
    });
    const giveUp = () => waiter.reject(new AbortError(true, { cause: stop.reason }));
    const watch = stop.onStop(giveUp);
    if (stop.stopped) giveUp();
    this.#waiters.add(waiter);
    try {
      await warm;
    } finally {
      watch.end();
      this.#waiters.delete(waiter);
    }
  }

  done(): void {
    for (const waiter of this.#waiters) waiter.resolve();
  }

  fail(error: unknown): void {
    for (const waiter of this.#waiters) waiter.reject(error);
  }
}
