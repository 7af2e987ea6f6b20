import { type Family, formatAddress, formatCidr, hostRange, parseAddress, parseCidr } from '../address.ts';
import { bridgeNames, bridgesFor, layoutProblem } from '../bridges.ts';
import { gatewayRule, linkNameRule, rangesRule, routesRule } from '../rules.ts';
import type { GeneratedNetwork, OwnConflist } from '../settings.ts';
import { generatedShape, type ManagerOptions } from './manager-schema.ts';
import { canonical, invalid } from './schema.ts';

/** The network that the options describe, or the conflist of the user's own that does. */

const defaultPortsPerBridge = 256;

/** What of the bridges the options say; `addresses` is how many guests can have one. */
function bridgesOf(options: ManagerOptions, family: Family, addresses: bigint) {
  const { layout = 'bridge', bridge = 'fcbr0', portsPerBridge = defaultPortsPerBridge } = options;
  if (layout !== 'bridges' && options.portsPerBridge !== undefined) {
    throw invalid('ERR_OPTION_INVALID', 'portsPerBridge', "is for layout: 'bridges'");
  }
  const one = { layout, bridge, bridgeCount: 1, portsPerBridge };
  if (layout === 'bridge') return one;
  const problem = layoutProblem({ ...options, layout, family });
  if (problem !== null) throw invalid('ERR_OPTION_INVALID', `layout "${layout}"`, problem);
  if (layout === 'routed') return one;
  const bridgeCount = bridgesFor(addresses, portsPerBridge);
  const longest = bridgeNames(bridge, bridgeCount).at(-1) ?? bridge;
  const broken = linkNameRule(longest);
  if (broken === null) return { layout, bridge, bridgeCount, portsPerBridge };
  const tooLong = `is too long for the first of ${bridgeCount} bridges: "${longest}" ${broken}`;
  throw invalid('ERR_LINK_NAME_INVALID', `bridge "${bridge}"`, tooLong);
}

export function generatedNetwork(options: ManagerOptions): GeneratedNetwork {
  const { network = 'fcnet', subnet = '10.168.0.0/24', mtu = null } = options;
  const { confDir = '/etc/cni/conf.d', addressDir = '/run/cni/networks' } = options;
  const cidr = parseCidr(subnet);
  const hosts = cidr && hostRange(cidr);
  if (cidr === null || hosts === null) throw invalid('ERR_SUBNET_INVALID', subnet, 'is not CIDR');
  const gateway = parseAddress(options.gateway ?? '') ?? hosts.first;
  const outside = gatewayRule(cidr)(formatAddress(gateway));
  if (outside !== null) throw invalid('ERR_GATEWAY_OUTSIDE', `gateway ${formatAddress(gateway)}`, outside);
  const { hairpin = false, isolated = false, promiscuous = false } = options;
  if (hairpin && promiscuous)
    throw invalid('ERR_OPTION_INVALID', 'hairpin', 'and promiscuous exclude each other');
  const ranges = (options.ranges ?? []).map(({ start, end }) => ({
    start: canonical(start),
    end: canonical(end),
  }));
  const misplaced = rangesRule(hosts, gateway)(ranges);
  if (misplaced !== null) throw invalid('ERR_OPTION_INVALID', 'ranges', misplaced);
  const { family } = cidr.address;
  const { routes = [{ destination: family === 4 ? '0.0.0.0/0' : '::/0', gateway: null }] } = options;
  const mixed = routesRule(family)(routes);
  if (mixed !== null) throw invalid('ERR_OPTION_INVALID', 'routes', mixed);
  return {
    ...{ kind: 'generated', network, mtu, confDir, addressDir },
    // All but the gateway's.
    ...bridgesOf(options, family, hosts.last.value - hosts.first.value),
    subnet: formatCidr(cidr),
    gateway: formatAddress(gateway),
    ...{ ranges, hairpin, isolated, promiscuous },
    dns: options.dns ?? { nameservers: [], domain: null, search: [], options: [] },
    routes,
  };
}

export function ownConflist(options: ManagerOptions, file: string): OwnConflist {
  for (const name of Object.keys(generatedShape) as (keyof typeof generatedShape)[]) {
    if (options[name] !== undefined) {
      throw invalid(
        'ERR_OPTION_INVALID',
        name,
        'is what the conflist says: leave it, or leave conflist, out',
      );
    }
  }
  return { kind: 'own', path: file, network: options.network ?? null };
}
