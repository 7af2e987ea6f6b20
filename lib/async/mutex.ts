import { AbortError } from '../errors.ts';
import type { Stop } from './stop.ts';

type Begin = () => void;

/** One holder at a time for each key, in the order of asking; different keys don't wait for each other. */
export class KeyedMutex {
  /** Of each key that is held, who waits for it. */
  readonly #waiting = new Map<string, Begin[]>();

  /** Rejects with AbortError when it is stopped while it waits; work that has begun is not interrupted. */
  async run<T>(key: string, stop: Stop, work: () => Promise<T>): Promise<T> {
    if (stop.stopped) throw new AbortError(true, { cause: stop.reason });
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) this.#waiting.set(key, []);
    else await turnAmong(waiting, stop);
    try {
      return await work();
    } finally {
      this.#pass(key);
    }
  }

  isHeld(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** To the next, who then is the holder, or to nobody. */
  #pass(key: string): void {
    const next = this.#waiting.get(key)?.shift();
    if (next === undefined) this.#waiting.delete(key);
    else next();
  }
}

function turnAmong(waiting: Begin[], stop: Stop): Promise<void> {
  return new Promise((resolve, reject) => {
    const begin = () => {
      watch.end();
      resolve();
    };
    const watch = stop.onStop(() => {
      const place = waiting.indexOf(begin);
      if (place >= 0) waiting.splice(place, 1);
      reject(new AbortError(true, { cause: stop.reason }));
    });
    waiting.push(begin);
  });
}
