import { expect, it, vi } from 'vitest';
import { KeyedMutex } from '../../lib/async/mutex.ts';
import { Running } from '../../lib/async/running.ts';
import type { OwnVm } from '../../lib/backends/attachment/request.ts';
import { OwnVms } from '../../lib/own-vms.ts';

const backend = { departed: async () => [], departedOrReplaced: async () => [], forget: () => {} };
const vm = (vmId: string, containerId: string): OwnVm => ({ vmId, containerId, hostLink: 'vn0' });

it('a VM is forgotten only where both of its ids were removed', () => {
  const own = new OwnVms({ backend, mutex: new KeyedMutex(), running: new Running() });
  const kept = vm('b', 'c1');
  for (const each of [kept, vm('c2', 'other')]) own.add(each);
  const removed = [
    { vmId: 'c1', containerId: 'c1' },
    { vmId: 'c2', containerId: 'c2' },
    { vmId: 'c2', containerId: 'other' },
  ];
  own.forgetRemoved(own.all, removed);
  expect(own.all).toEqual([kept]);
});

it('those that others have torn down are looked for once it is time, however few there are', async () => {
  const running = new Running();
  const departed = vi.fn(async (vms: readonly OwnVm[]) => vms);
  const own = new OwnVms({ backend: { ...backend, departed }, mutex: new KeyedMutex(), running });
  own.add(vm('a', 'a'));
  own.sweepWhenDue();
  expect(departed).not.toHaveBeenCalled();
  const later = performance.now() + 60_000;
  const clock = vi.spyOn(performance, 'now').mockReturnValue(later);
  for (const _ of [1, 2]) own.sweepWhenDue();
  await running.ended();
  own.sweepWhenDue();
  expect(departed).toHaveBeenCalledTimes(1);
  expect(own.all).toEqual([]);
  clock.mockRestore();
});
