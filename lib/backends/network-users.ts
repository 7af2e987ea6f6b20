import { atStep } from './kernel-error.ts';
import { addressesOf } from './network-addresses.ts';
import { isPoolOwner } from './pool-owner.ts';
import { recordsOfNetwork } from './records.ts';
import type { Runtime } from './runtime.ts';

/**
 * The VMs that a network still has, in words: those with a record, and those that have an address of it, as whoever keeps his
 * records somewhere else has given it to them. Slots of pools are none.
 */
export async function networkUsers(runtime: Runtime): Promise<readonly string[]> {
  const { records } = await recordsOfNetwork(runtime);
  const recorded = new Set(records.map(({ containerId }) => containerId));
  const users = [...recorded];
  for (const { ip, owner } of await atStep('address', () => addressesOf(runtime.binding, runtime.network))) {
    const [containerId = ''] = owner.split('\r\n');
    if (isPoolOwner(owner) || recorded.has(containerId)) continue;
    users.push(`${containerId} (which has the address ${ip}, and no record in ${runtime.config.stateDir})`);
  }
  return users;
}
