import { afterEach, beforeEach, expect, it, type MockInstance, vi } from 'vitest';
import { onCloseSignals } from '../../lib/signals.ts';

/** Nobody else in this process listens to it. */
const signal = 'SIGQUIT';

let kill: MockInstance<typeof process.kill>;
beforeEach(() => {
  kill = vi.spyOn(process, 'kill').mockReturnValue(true);
});
afterEach(() => {
  for (const forget of watching.splice(0)) forget();
  process.removeAllListeners(signal);
  vi.restoreAllMocks();
});

const watching: (() => void)[] = [];

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
  watching.push(forget);
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

it.each(['before', 'after'])(
  'is the application’s own where it listens once, from %s the manager on',
  async (when) => {
    const listener = vi.fn();
    if (when === 'before') process.once(signal, listener);
    const only = manager();
    if (when === 'after') process.once(signal, listener);
    raise();
    await only.end();
    expect(listener).toHaveBeenCalledTimes(1);
    expect(kill).not.toHaveBeenCalled();
  },
);

it('is the application’s own where it listens once between two copies of the package', async () => {
  vi.resetModules();
  const other = await import('../../lib/signals.ts');
  const first = manager();
  process.once(signal, vi.fn());
  const second = manager(other.onCloseSignals);
  raise();
  for (const each of [first, second]) await each.end();
  expect(kill).not.toHaveBeenCalled();
});

it('takes effect with the one that the application, which listened once, does not hear', async () => {
  process.once(signal, vi.fn());
  const only = manager();
  for (let times = 0; times < 2; times += 1) raise();
  await only.end();
  expect(kill).toHaveBeenCalledTimes(1);
});

it('has one listener for all managers, which goes with the last of them', async () => {
  const managers = Array.from({ length: 20 }, () => manager());
  expect(process.listenerCount(signal)).toBe(1);
  raise();
  for (const each of managers) {
    expect(process.listenerCount(signal)).toBe(1);
    await each.end();
  }
  expect(process.listenerCount(signal)).toBe(0);
  for (const { close } of managers) expect(close).toHaveBeenCalledTimes(1);
  expect(kill).toHaveBeenCalledTimes(1);
});
