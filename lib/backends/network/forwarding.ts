import type { NativeBinding } from '../../native/binding.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { Network } from './network.ts';

/** Whether the host forwards what comes from a network's guests. */

type Binding = Pick<NativeBinding, 'dump' | 'sysctlRead' | 'sysctlWrite'>;

const ipv4Forwarding = 'net/ipv4/ip_forward';
const ipv6Forwarding = 'net/ipv6/conf/all/forwarding';

/** IPv4's is each link's own, of what comes in on it; `all` sets it for all that there are. IPv6 knows none but `all`. */
export const forwardingOf = (link: string): string => `net/ipv4/conf/${link}/forwarding`;

/** RTPROT_RA of linux/rtnetlink.h. */
const byAdvertisement = 9;

const keysOf = ({ firewall }: Network): readonly string[] =>
  firewall.ipv6 ? [ipv4Forwarding, ipv6Forwarding] : [ipv4Forwarding];

/** Settings that are not what the network needs. */
export async function missingForwarding(binding: Binding, network: Network): Promise<readonly string[]> {
  const missing: string[] = [];
  for (const key of keysOf(network)) {
    const value = await atStep('forwarding', () => binding.sysctlRead({ key }));
    if (value !== '1') missing.push(key);
  }
  return missing;
}

export function ensureForwarding(binding: Binding, network: Network): Promise<void> {
  return atStep('forwarding', async () => {
    if (network.firewall.ipv6) await keepRouters(binding);
    for (const key of keysOf(network)) await binding.sysctlWrite({ key, value: '1' });
  });
}

/**
 * Where the host's own way out was advertised to it: who forwards believes no router any more, and forgets those that it
 * has (rt6_purge_dflt_routers of net/ipv6/route.c), but on links on which it is told to.
 */
async function keepRouters(binding: Binding): Promise<void> {
  if ((await binding.sysctlRead({ key: ipv6Forwarding })) === '1') return;
  const { links, routes } = await binding.dump({ kinds: ['links', 'routes'] });
  const advertised = routes.filter(({ family, protocol }) => family === 6 && protocol === byAdvertisement);
  const uplinks = new Set(advertised.map(({ link }) => link));
  for (const { name } of links.filter(({ index }) => uplinks.has(index))) {
    const key = `net/ipv6/conf/${name}/accept_ra`;
    if ((await binding.sysctlRead({ key })) !== '1') continue;
    await binding.sysctlWrite({ key, value: '2' });
  }
}
