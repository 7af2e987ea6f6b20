import type { CloseSignal } from './options.ts';

/** Tells a copy of this package the listeners of all copies from the application's: whether managers are closing at the signal. */
const isClosing = Symbol.for('vulcan-net.signals.closing');

type Listener = NodeJS.SignalsListener & { [isClosing]?: () => boolean };

/** What a manager has heard of a signal; `alone`: at least once the application did not listen. */
interface Hearing {
  alone: boolean;
}

interface Watcher {
  readonly close: () => Promise<void>;
  readonly heard: Map<CloseSignal, Hearing>;
}

function listenersOf(signal: CloseSignal): readonly Listener[] {
  return process.listeners(signal);
}

/** The one listener to a signal that this copy of the package has, while it has managers that close at it. */
class SignalWatch {
  readonly #signal: CloseSignal;
  readonly #watchers = new Set<Watcher>();
  readonly #listener: Listener = () => this.#hear();

  constructor(signal: CloseSignal) {
    this.#signal = signal;
    this.#listener[isClosing] = () => [...this.#watchers].some(({ heard }) => heard.has(signal));
  }

  /** Before all others: a listener of `process.once` is gone when it is called. */
  add(watcher: Watcher): void {
    if (this.#watchers.size === 0) process.prependListener(this.#signal, this.#listener);
    this.#watchers.add(watcher);
  }

  delete(watcher: Watcher): void {
    if (this.#watchers.delete(watcher) && this.#watchers.size === 0)
      process.off(this.#signal, this.#listener);
  }

  #hear(): void {
    const alone = listenersOf(this.#signal).every((listener) => listener[isClosing] !== undefined);
    for (const watcher of this.#watchers) this.#tell(watcher, alone);
  }

  #tell(watcher: Watcher, alone: boolean): void {
    const before = watcher.heard.get(this.#signal);
    if (before !== undefined) {
      before.alone ||= alone;
      return;
    }
    const hearing: Hearing = { alone };
    watcher.heard.set(this.#signal, hearing);
    watcher
      .close()
      .catch(() => {})
      .finally(() => {
        forget(watcher);
        if (hearing.alone && this.#mayTakeEffect) process.kill(process.pid, this.#signal);
      });
  }

  /** Whether nobody listens but managers that have not heard it. */
  get #mayTakeEffect(): boolean {
    return listenersOf(this.#signal).every((listener) => listener[isClosing]?.() === false);
  }
}

const watches = new Map<CloseSignal, SignalWatch>();

function watchOf(signal: CloseSignal): SignalWatch {
  const watch = watches.get(signal) ?? new SignalWatch(signal);
  watches.set(signal, watch);
  return watch;
}

function forget(watcher: Watcher): void {
  for (const watch of watches.values()) watch.delete(watcher);
}

/**
 * Closes at the first of the signals, and once no manager of the process is left that closes for it, lets it take its usual
 * effect: ending the process, unless the application listens to it too. Managers that have come meanwhile get it then.
 * Returns what takes the handlers away, for when all is closed: until then no signal ends the process in the midst of it.
 */
export function onCloseSignals(signals: readonly CloseSignal[], close: () => Promise<void>): () => void {
  const watcher: Watcher = { close, heard: new Map() };
  for (const signal of signals) watchOf(signal).add(watcher);
  return () => forget(watcher);
}
