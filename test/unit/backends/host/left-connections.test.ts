import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { LeftConnections } from '../../../../lib/backends/host/left-connections.ts';

type Call = readonly [ips: readonly string[], directory: string | null];

function subject(connectionsForget: () => Promise<string[]> = async () => []) {
  const calls: Call[] = [];
  const warnings: string[] = [];
  const note = (_fields: object, message: string) => void warnings.push(message);
  const left = new LeftConnections({
    binding: {
      connectionsForget: ({ ips, directory }) => {
        calls.push([[...ips], directory]);
        return connectionsForget();
      },
    },
    ...{ directory: '/store', network: 'fcnet' },
    logger: { debug: note, info: note, warn: note, error: note },
  });
  return { left, calls, warnings };
}

const address = (ip: string) => [{ ip }];

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('forgets those of a second together, unless somebody has the address', async () => {
  const { left, calls } = subject();
  left.add(['10.0.0.2']);
  await vi.advanceTimersByTimeAsync(900);
  left.add(['10.0.0.3', '10.0.0.4']);
  expect(calls).toEqual([]);
  await vi.advanceTimersByTimeAsync(100);
  expect(calls).toEqual([[['10.0.0.2', '10.0.0.3', '10.0.0.4'], '/store']]);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(calls).toHaveLength(1);
});

it('asks nothing for an address that nobody has left', async () => {
  const { left, calls } = subject();
  left.add(['10.0.0.2']);
  await left.forgotten(address('10.0.0.3'));
  expect(calls).toEqual([]);
});

it('forgets an address at once for whoever has it now, and once', async () => {
  const { left, calls } = subject();
  left.add(['10.0.0.2', '10.0.0.3']);
  await left.forgotten(address('10.0.0.2'));
  await left.forgotten(address('10.0.0.2'));
  expect(calls).toEqual([[['10.0.0.2'], null]]);
  await left.settle();
  expect(calls.slice(1)).toEqual([[['10.0.0.3'], '/store']]);
});

it('keeps those that were somebody’s, for him to ask', async () => {
  const { left, calls } = subject(async () => (calls.length === 1 ? ['10.0.0.2'] : []));
  left.add(['10.0.0.2', '10.0.0.3']);
  await left.settle();
  await left.forgotten([...address('10.0.0.3'), ...address('10.0.0.2')]);
  expect(calls.slice(1)).toEqual([[['10.0.0.2'], null]]);
});

it('keeps one that was left once more meanwhile', async () => {
  let finish: (taken: string[]) => void = () => {};
  const { left, calls } = subject(
    () =>
      new Promise((resolve) => {
        finish = resolve;
      }),
  );
  left.add(['10.0.0.2']);
  const settled = left.settle();
  left.add(['10.0.0.2']);
  finish([]);
  await settled;
  const again = left.settle();
  finish([]);
  await again;
  expect(calls).toHaveLength(2);
});

it('tells once what keeps it from forgetting, and goes on', async () => {
  const { left, calls, warnings } = subject(() => Promise.reject(new Error('no such subsystem')));
  for (const ip of ['10.0.0.2', '10.0.0.3']) {
    left.add([ip]);
    await left.forgotten(address(ip));
  }
  expect(calls).toHaveLength(2);
  expect(warnings).toEqual([expect.stringContaining('no such subsystem')]);
});

it('asks again for what always has new connections', async () => {
  const busy = Object.assign(new Error('there are always new connections'), { code: 'EBUSY' });
  const { left, calls, warnings } = subject(async () => (calls.length === 1 ? Promise.reject(busy) : []));
  left.add(['10.0.0.2']);
  await left.settle();
  await left.forgotten(address('10.0.0.2'));
  await left.settle();
  expect(calls.slice(1)).toEqual([[['10.0.0.2'], null]]);
  expect(warnings).toEqual([]);
});
