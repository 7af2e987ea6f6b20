import {
  type Cidr,
  formatAddress,
  formatCidr,
  hostRange,
  parseAddress,
  parseCidr,
  subnetRange,
} from '../../address.ts';
import { isJsonObject } from '../../cni/json.ts';
import type { ConfList, JsonObject, PluginConf } from '../../cni/types.ts';
import { bridgesOf, linkGroupOf, routedKey } from './layout.ts';
import { objects } from './plugin-conf.ts';

/** What a conflist says about its network: what the firewall must know, whoever wrote it. */
export interface NetworkFacts {
  readonly bridges: readonly string[];
  /** The group of the host's links that are no ports of those bridges. */
  readonly linkGroup?: number;
  /** `gateway` is the host's address in it; `null` where the host has none. */
  readonly subnets: readonly { readonly subnet: string; readonly gateway: string | null }[];
  /** Whether guests are kept from each other. */
  readonly isolated: boolean;
}

/** host-local's: `subnet` on its own, or `ranges`, a list of sets of ranges. */
function rangesOf(ipam: JsonObject): readonly JsonObject[] {
  const ranges = Array.isArray(ipam['ranges']) ? ipam['ranges'] : [];
  return [...('subnet' in ipam ? [ipam] : []), ...ranges.flatMap(objects)];
}

function gatewayOf(cidr: Cidr, range: JsonObject): string | null {
  const named = typeof range['gateway'] === 'string' ? parseAddress(range['gateway']) : null;
  const gateway = named ?? hostRange(cidr)?.first;
  return gateway === undefined ? null : formatAddress(gateway);
}

function subnetsOf({ raw, type }: PluginConf): NetworkFacts['subnets'] {
  const { ipam } = raw;
  if (!isJsonObject(ipam)) return [];
  const hasGateway = type === 'ptp' || raw['isGateway'] === true || raw['isDefaultGateway'] === true;
  return rangesOf(ipam).flatMap((range) => {
    const cidr = typeof range['subnet'] === 'string' ? parseCidr(range['subnet']) : null;
    if (cidr === null) return [];
    const subnet = formatCidr({ ...cidr, address: subnetRange(cidr).first });
    return [{ subnet, gateway: hasGateway ? gatewayOf(cidr, range) : null }];
  });
}

const isIsolated = (ports: readonly PluginConf[]): boolean =>
  ports.length > 0 && ports.every(({ raw }) => raw['portIsolation'] === true);

export function networkFacts({ name, plugins }: ConfList): NetworkFacts {
  const bridges = plugins.filter(({ type }) => type === 'bridge').flatMap(({ raw }) => bridgesOf(raw));
  const isRouted = plugins.some(({ raw }) => raw[routedKey] === true);
  const subnets = plugins.flatMap(subnetsOf);
  return {
    bridges: [...new Set(bridges)],
    ...(isRouted || bridges.length === 0 ? { linkGroup: linkGroupOf(name) } : {}),
    subnets: [...new Map(subnets.map((entry) => [entry.subnet, entry])).values()],
    isolated: isIsolated(plugins.filter(({ type }) => type === 'bridge')),
  };
}
