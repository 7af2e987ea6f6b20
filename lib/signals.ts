import type { CloseSignal } from './options.ts';

/** What a manager's listener has heard: by that each copy of this package knows the listeners of all, and the application's own. */
const heard = Symbol.for('vulcan-net.signals.heard');

type Listener = ((signal: NodeJS.Signals) => void) & { [heard]?: ReadonlySet<NodeJS.Signals> };

/**
 * Closes at the first of the signals, and once no manager of the process is left that closes for it, lets it take its usual
 * effect: ending the process, unless the application listens to it too. Managers that have come meanwhile get it then.
 * Returns what takes the handlers away, for when all is closed: until then no signal ends the process in the midst of it.
 */
export function onCloseSignals(signals: readonly CloseSignal[], close: () => Promise<void>): () => void {
  const forget = () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  const own = new Set<NodeJS.Signals>();
  const onSignal: Listener = (signal) => {
    if (own.has(signal)) return;
    own.add(signal);
    close()
      .catch(() => {})
      .finally(() => {
        forget();
        if (mayTakeEffect(signal)) process.kill(process.pid, signal);
      });
  };
  onSignal[heard] = own;
  for (const signal of signals) process.on(signal, onSignal);
  return forget;
}

/** Whether nobody listens but managers that have not heard it. */
function mayTakeEffect(signal: NodeJS.Signals): boolean {
  return process.listeners(signal).every((listener: Listener) => listener[heard]?.has(signal) === false);
}
