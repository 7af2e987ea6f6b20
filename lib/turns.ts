import { AbortError } from './errors.ts';
import type { Stop } from './stop.ts';

/** What is begun in one turn of the event loop: more would keep whoever else the process serves from theirs. */
const mostAtOnce = 32;

/** Work begins in the order of asking: a few at once, the others in the turns that follow. */
export class Turns {
  /** In the present turn. */
  #begun = 0;
  readonly #waiting = new Set<() => void>();

  /** Rejects with AbortError when it is stopped while it waits; work that has begun is not interrupted. */
  run<T>(stop: Stop, work: () => Promise<T>): Promise<T> {
    if (this.#begun >= mostAtOnce || this.#waiting.size > 0) return this.#turn(stop).then(work);
    this.#begin();
    return work();
  }

  #begin(): void {
    if (this.#begun === 0) setImmediate(() => this.#next());
    this.#begun += 1;
  }

  #turn(stop: Stop): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        watch.end();
        resolve();
      };
      const giveUp = () => {
        this.#waiting.delete(begin);
        reject(new AbortError(true, { cause: stop.reason }));
      };
      const watch = stop.onStop(giveUp);
      this.#waiting.add(begin);
      if (stop.stopped) giveUp();
    });
  }

  #next(): void {
    this.#begun = 0;
    for (const begin of this.#waiting) {
      if (this.#begun >= mostAtOnce) break;
      this.#waiting.delete(begin);
      this.#begin();
      begin();
    }
  }
}
