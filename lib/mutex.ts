import { AbortError } from './errors.ts';
import type { Stop } from './stop.ts';

/** One holder at a time for each key, in the order of asking; different keys don't wait for each other. */
export class KeyedMutex {
  readonly #tails = new Map<string, Promise<void>>();

  /** Rejects with AbortError when it is stopped while it waits; work that has begun is not interrupted. */
  async run<T>(key: string, stop: Stop, work: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    let release = () => {};
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    const tail = before === undefined ? held : before.then(() => held);
    this.#tails.set(key, tail);
    try {
      if (stop.stopped) throw new AbortError(true, { cause: stop.reason });
      if (before !== undefined) await unlessStopped(before, stop);
      return await work();
    } finally {
      release();
      if (this.#tails.get(key) === tail) this.#tails.delete(key);
    }
  }
}

function unlessStopped(turn: Promise<void>, stop: Stop): Promise<void> {
  return new Promise((resolve, reject) => {
    const forget = stop.onStop(() => reject(new AbortError(true, { cause: stop.reason })));
    void turn.then(() => {
      forget();
      resolve();
    });
  });
}
