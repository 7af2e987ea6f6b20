import { type Cidr, contains, parseCidr } from '../../address.ts';
import { NetworkError } from '../../errors.ts';
import { setOf } from '../../ipam.ts';
import type { NativeBinding } from '../../native/binding.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { Dump, LinkInfo, RouteInfo } from '../../native/netlink.ts';
import { mainRoutes, waysOut } from '../host/ways-out.ts';
import { bridgeMac, type Network } from './network.ts';

/** Where the host sends packets for the addresses that a network is to have. */

/** What routes of this library's have. */
const ownProtocol = 118;

function overlap(one: Cidr, other: Cidr): boolean {
  return contains(one, other.address) || contains(other, one.address);
}

const conflict = ({ name }: Network, message: string) =>
  new NetworkError('ERR_SUBNET_CONFLICT', message, { step: 'routes', network: name });

function routeConflict(subnet: string, { destination, gateway }: RouteInfo, link: string): string {
  const way = [gateway === null ? '' : ` via ${gateway}`, link === '' ? '' : ` on ${link}`].join('');
  return `subnet ${subnet} overlaps ${destination}, to which this host has a route${way}`;
}

/**
 * Rejects where packets for addresses of the network's subnets would go elsewhere than to its guests: where a route of the host
 * leads to them by another link than its bridge, or where the host has itself what is to be a guest's, or its gateway's. Default
 * routes are none of this, nor are other tables than the main one. A conflist of the user's own is his to answer for.
 */
export async function refuseTakenSubnets(
  binding: Pick<NativeBinding, 'dump'>,
  network: Network,
): Promise<void> {
  if (network.bridges.length === 0) return;
  const dump = await atStep('routes', () => binding.dump({ kinds: ['links', 'addresses', 'routes'] }));
  refuseRoutes(network, dump);
  refuseAddresses(network, dump);
}

function refuseRoutes(network: Network, { links, routes }: Dump): void {
  const { bridges, firewall } = network;
  const own = new Set(bridges.map(({ name }) => name));
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
      if (cidr === null || !overlap(cidr, destination)) continue;
      throw conflict(network, routeConflict(subnet, route, link));
    }
  }
}

/** Others that the host has in the subnet are reached as before, by guests, too: nobody else gets them. */
function refuseAddresses(network: Network, { links, addresses }: Dump): void {
  const { layout, firewall } = network;
  if (layout === null) return;
  const byIndex = new Map(links.map((link: LinkInfo) => [link.index, link]));
  for (const { ip, link: index } of addresses) {
    const link = byIndex.get(index);
    if (link === undefined || (layout.isGateway && isOwn(network, link))) continue;
    const where = `which this host has itself, on ${link.name}`;
    if (firewall.gateways.includes(ip)) {
      const remedy = 'remove it there, or choose another gateway or subnet';
      throw conflict(network, `the gateway is to have ${ip}, ${where}: ${remedy}`);
    }
    if (setOf(layout.sets, ip) === undefined) continue;
    const remedy = 'remove it there, or choose ranges without it or another subnet';
    throw conflict(network, `a guest is to have ${ip}, ${where}: ${remedy}`);
  }
}

/** Of bridges that the network has by other options its conflist tells. What is wrong with a bridge's own addresses shows when it is made. */
const isOwn = ({ name: network, bridges }: Network, { name, mac }: LinkInfo): boolean =>
  bridges.some((bridge) => bridge.name === name) || mac === bridgeMac(network, name);

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
