import { AbortError } from '../errors.ts';

/** What a verb may be stopped by. An AbortSignal says the same, at many times the cost. */
export interface Stop {
  readonly stopped: boolean;
  readonly reason: unknown;
  /** Calls it once, when it stops; not where it has stopped already, nor where the watch had ended by then. */
  onStop(listener: () => void): StopWatch;
}

export interface StopWatch {
  end(): void;
}

/** One of a ring of listeners, which each leaves at no cost, however many there are. */
class Watch implements StopWatch {
  readonly listener: () => void;
  next: Watch = this;
  #previous: Watch = this;

  constructor(listener: () => void) {
    this.listener = listener;
  }

  insertBefore(other: Watch): void {
    this.next = other;
    this.#previous = other.#previous;
    other.#previous.next = this;
    other.#previous = this;
  }

  end(): void {
    this.#previous.next = this.next;
    this.next.#previous = this.#previous;
    this.next = this;
    this.#previous = this;
  }
}

const nobody = () => {};

export class Stopper implements Stop {
  /** Of whom nobody listens: first and last of all. */
  readonly #ring = new Watch(nobody);
  #stopped = false;
  #reason: unknown = undefined;

  get stopped(): boolean {
    return this.#stopped;
  }

  get reason(): unknown {
    return this.#reason;
  }

  onStop(listener: () => void): StopWatch {
    const watch = new Watch(listener);
    watch.insertBefore(this.#ring);
    return watch;
  }

  /** Only the first call has an effect. */
  stop(reason: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#reason = reason;
    for (const listener of this.#takeListeners()) listener();
  }

  #takeListeners(): readonly (() => void)[] {
    const listeners: (() => void)[] = [];
    for (let watch = this.#ring.next; watch !== this.#ring; watch = this.#ring.next) {
      listeners.push(watch.listener);
      watch.end();
    }
    return listeners;
  }
}

/** Before the next part of work that itself is not interrupted. `rolledBack`: whether nothing of the parts before stays. */
export function throwIfStopped(stop: Stop, rolledBack: boolean): void {
  if (stop.stopped) throw new AbortError(rolledBack, { cause: stop.reason });
}

/** Adapts an AbortSignal. */
export function stopOf(signal: AbortSignal): Stop {
  return {
    get stopped() {
      return signal.aborted;
    },
    get reason() {
      return signal.reason;
    },
    onStop(listener) {
      signal.addEventListener('abort', listener, { once: true });
      return { end: () => signal.removeEventListener('abort', listener) };
    },
  };
}
