import type { CloseSignal } from './options.ts';

/**
 * Closes at the first of the signals, and then lets it take its usual effect: ending the process, unless the application
 * listens to it too. Returns what takes the handlers away.
 */
export function onCloseSignals(signals: readonly CloseSignal[], close: () => Promise<void>): () => void {
  const forget = () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
  const onSignal = (signal: NodeJS.Signals) => {
    close()
      .catch(() => {})
      .finally(() => {
        forget();
        if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
      });
  };
  for (const signal of signals) process.on(signal, onSignal);
  return forget;
}
