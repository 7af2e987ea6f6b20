import type { CloseSignal } from './options.ts';

/** Closes at each of the signals, once, and then lets the signal take its usual effect. Returns what takes this back. */
export function onCloseSignals(signals: readonly CloseSignal[], close: () => Promise<void>): () => void {
  const forget = () => {
    for (const signal of signals) process.removeListener(signal, onSignal);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    forget();
    const again = () => process.kill(process.pid, signal);
    close().then(again, again);
  };
  for (const signal of signals) process.on(signal, onSignal);
  return forget;
}
