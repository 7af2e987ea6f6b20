import { atStep } from '../../native/kernel-error.ts';
import { readHostLinks } from '../host/host-link.ts';
import { storedAddresses } from '../network/addresses.ts';
import { isPoolOwner } from '../network/pool-owner.ts';
import type { Runtime } from '../network/runtime.ts';
import { recordsOfNetwork } from './records.ts';

/**
 * The VMs that a network still has, in words: those with a record, and those that have an address of it, as whoever keeps his
 * records somewhere else has given it to them, or a namespace and a link that is not cut, where all of that was removed. Slots of pools are none.
 */
export async function networkUsers(runtime: Runtime): Promise<readonly string[]> {
  const { records } = await recordsOfNetwork(runtime);
  const told = new Set(records.map(({ containerId }) => containerId));
  const users = [...told];
  for (const { ip, owner } of await atStep('address', () =>
    storedAddresses(runtime.binding, runtime.network),
  )) {
    const [containerId = ''] = owner.split('\r\n');
    if (isPoolOwner(owner) || told.has(containerId)) continue;
    told.add(containerId);
    users.push(`${containerId} (which has the address ${ip}, and no record in ${runtime.config.stateDir})`);
  }
  // Of a VM that was torn down the link goes some time after its name.
  const named = new Set(await runtime.anchors.list());
  const links = await readHostLinks(runtime.binding);
  for (const { link, owner } of links.owned) {
    const { network, containerId } = owner;
    if (network !== runtime.network.name || links.isCut(link) || told.has(containerId)) continue;
    if (!named.has(containerId)) continue;
    users.push(
      `${containerId} (which has the link ${link.name}, and no record in ${runtime.config.stateDir})`,
    );
  }
  return users;
}
