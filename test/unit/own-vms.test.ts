import { expect, it } from 'vitest';
import type { OwnVm } from '../../lib/backends/attachment/request.ts';
import { KeyedMutex } from '../../lib/mutex.ts';
import { OwnVms } from '../../lib/own-vms.ts';
import { Running } from '../../lib/running.ts';

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
