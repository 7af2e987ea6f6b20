import { type Cidr, contains, parseCidr } from '../address.ts';
import { NetworkError } from '../errors.ts';
import type { LinkInfo, NativeBinding, RouteInfo } from '../native/binding.ts';
import { atStep } from './kernel-error.ts';
import type { Network } from './network.ts';

/** Where the host sends packets for the addresses that a network is to have. */

/** The kernel's own table of the host's addresses. */
const localTable = 255;

function overlap(one: Cidr, other: Cidr): boolean {
  return contains(one, other.address) || contains(other, one.address);
}

function conflict({ name }: Network, subnet: string, { destination, gateway }: RouteInfo, link: string) {
  const way = [gateway === null ? '' : ` via ${gateway}`, link === '' ? '' : ` on ${link}`].join('');
  const message = `subnet ${subnet} overlaps ${destination}, to which this host has a route${way}`;
  return new NetworkError('ERR_SUBNET_CONFLICT', message, { step: 'routes', network: name });
}

/**
 * Rejects where a route of the host leads to addresses of the network's subnets by another link than its bridge: one of
 * the two would no longer be reached. Default routes are none of this. A conflist of the user's own is his to answer for.
 */
export async function refuseRoutedSubnets(
  binding: Pick<NativeBinding, 'dump'>,
  network: Network,
): Promise<void> {
  const { bridge, firewall } = network;
  if (bridge === null) return;
  const { links, routes } = await atStep('routes', () => binding.dump({ kinds: ['links', 'routes'] }));
  const linkNames = new Map(links.map(({ index, name }: LinkInfo) => [index, name]));
  for (const route of routes) {
    const link = linkNames.get(route.link) ?? '';
    const destination = parseCidr(route.destination);
    if (destination === null || destination.prefixLength === 0) continue;
    if (route.table === localTable || link === bridge.name) continue;
    for (const subnet of firewall.subnets) {
      const cidr = parseCidr(subnet);
      if (cidr !== null && overlap(cidr, destination)) throw conflict(network, subnet, route, link);
    }
  }
}
