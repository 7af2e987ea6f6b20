/** What a verb may be stopped by. An AbortSignal says the same, at many times the cost. */
export interface Stop {
  readonly stopped: boolean;
  readonly reason: unknown;
  /** Calls it once, when it stops; not where it has stopped already. What it returns takes the listener back. */
  onStop(listener: () => void): () => void;
}

export class Stopper implements Stop {
  readonly #listeners = new Set<() => void>();
  #stopped = false;
  #reason: unknown = undefined;

  get stopped(): boolean {
    return this.#stopped;
  }

  get reason(): unknown {
    return this.#reason;
  }

  onStop(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The first one counts. */
  stop(reason: unknown): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#reason = reason;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener();
  }
}

/** For whom has a signal. */
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
      return () => signal.removeEventListener('abort', listener);
    },
  };
}
