import { afterEach, beforeEach, expect, it, type MockInstance, vi } from 'vitest';
import { onCloseSignals } from '../../lib/signals.ts';

/** Nobody else in this process listens to it. */
const signal = 'SIGQUIT';

let kill: MockInstance<typeof process.kill>;
beforeEach(() => {
  kill = vi.spyOn(process, 'kill').mockReturnValue(true);
});
afterEach(() => {
  process.removeAllListeners(signal);
  vi.restoreAllMocks();
});

const raise = () => process.emit(signal, signal);
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** A manager that closes when it is told to. */
function manager(watch = onCloseSignals) {
  let resolve = () => {};
  const closed = new Promise<void>((done) => {
    resolve = done;
  });
  const close = vi.fn(() => closed);
  const forget = watch([signal], close);
  const end = async () => {
    forget();
    resolve();
    await settled();
  };
  return { close, end };
}

it('closes each manager once, and takes effect with the last of them', async () => {
  const managers = [manager(), manager()];
  for (let times = 0; times < 2; times += 1) raise();
  await managers[0]?.end();
  expect(kill).not.toHaveBeenCalled();
  await managers[1]?.end();
  expect(kill.mock.calls).toEqual([[process.pid, signal]]);
  for (const { close } of managers) expect(close).toHaveBeenCalledTimes(1);
});

it('takes effect though a close fails', async () => {
  onCloseSignals([signal], () => Promise.reject(new Error('not everything could be torn down')));
  raise();
  await settled();
  expect(kill).toHaveBeenCalledTimes(1);
});

it('waits for the managers of another copy of the package', async () => {
  vi.resetModules();
  const other = await import('../../lib/signals.ts');
  expect(other.onCloseSignals).not.toBe(onCloseSignals);
  const managers = [manager(other.onCloseSignals), manager()];
  raise();
  await managers[1]?.end();
  expect(kill).not.toHaveBeenCalled();
  await managers[0]?.end();
  expect(kill).toHaveBeenCalledTimes(1);
});

it('reaches a manager that was opened while others closed', async () => {
  const first = manager();
  raise();
  const late = manager();
  await first.end();
  expect(kill).toHaveBeenCalledTimes(1);
  raise();
  expect(late.close).toHaveBeenCalledTimes(1);
  await late.end();
  expect(kill).toHaveBeenCalledTimes(2);
});

it('is the application’s own where it listens', async () => {
  const listener = vi.fn();
  process.on(signal, listener);
  const first = manager();
  raise();
  manager();
  await first.end();
  expect(listener).toHaveBeenCalledTimes(1);
  expect(kill).not.toHaveBeenCalled();
});
