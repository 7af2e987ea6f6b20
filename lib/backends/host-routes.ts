import { type Cidr, contains, parseCidr } from '../address.ts';
import { NetworkError } from '../errors.ts';
import type { NativeBinding } from '../native/binding.ts';
import type { LinkInfo, RouteInfo } from '../native/netlink.ts';
import { atStep } from './kernel-error.ts';
import type { Network } from './network.ts';
import { mainRoutes, waysOut } from './ways-out.ts';

/** Where the host sends packets for the addresses that a network is to have. */

/** What routes of this library's have. */
const ownProtocol = 118;

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
 * the two would no longer be reached. Default routes are none of this, nor are other tables than the main one. A conflist of the user's own is his to answer for.
 */
export async function refuseRoutedSubnets(
  binding: Pick<NativeBinding, 'dump'>,
  network: Network,
): Promise<void> {
  const { bridges, firewall } = network;
  if (bridges.length === 0) return;
  const own = new Set(bridges.map(({ name }) => name));
  const { links, routes } = await atStep('routes', () => binding.dump({ kinds: ['links', 'routes'] }));
  const linkNames = new Map(links.map(({ index, name }: LinkInfo) => [index, name]));
  const main = mainRoutes(routes);
  const out = waysOut(main);
  for (const route of main) {
    const link = linkNames.get(route.link) ?? '';
    const destination = parseCidr(route.destination);
    if (destination === null || out.has(route.destination) || own.has(link)) continue;
    // Ours lead to VMs, and keep the rest from being reached; overlaps of networks are the firewall's to find.
    if (route.protocol === ownProtocol) continue;
    for (const subnet of firewall.subnets) {
      const cidr = parseCidr(subnet);
      if (cidr !== null && overlap(cidr, destination)) throw conflict(network, subnet, route, link);
    }
  }
}

/** Where the host has a route to each VM: what no VM has would else lead to the host's default route. */
export function unreachableSubnets({ firewall, layout }: Network): readonly string[] {
  return layout?.hostRoutes === true ? firewall.subnets : [];
}

/** Of addresses that are the VM's still, so that no other VM loses its own. */
export async function removeHostRoutes(
  binding: Pick<NativeBinding, 'hostRouteRemove'>,
  ips: readonly string[],
): Promise<void> {
  for (const ip of ips) {
    await atStep('route', () => binding.hostRouteRemove({ destination: `${ip}/32` }));
  }
}

/** Routes to VMs of the network whose address nobody has. No set-up of it may be under way. */
export async function removeStaleRoutes(
  binding: Pick<NativeBinding, 'dump' | 'fileList' | 'hostRouteRemove'>,
  network: Network,
): Promise<void> {
  const directory = network.layout?.addressDir;
  if (network.layout?.hostRoutes !== true || directory === undefined) return;
  const { routes } = await atStep('route', () => binding.dump({ kinds: ['routes'] }));
  const taken = new Set(await atStep('route', () => binding.fileList({ directory })));
  const subnets = network.firewall.subnets.map(parseCidr);
  const stale = routes.flatMap(({ destination, link, protocol }) => {
    const cidr = parseCidr(destination);
    const ip = destination.split('/')[0] ?? '';
    const isIts = subnets.some(
      (subnet) => subnet !== null && cidr !== null && contains(subnet, cidr.address),
    );
    return link !== 0 && protocol === ownProtocol && isIts && !taken.has(ip) ? [ip] : [];
  });
  await removeHostRoutes(binding, stale);
}
