import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { parseCidr } from '../address.ts';
import { parseConfList } from '../cni/conflist.ts';
import { loadConfList } from '../cni/discovery.ts';
import * as generate from '../cni/generate.ts';
import type { ConfList } from '../cni/types.ts';
import { NetworkError } from '../errors.ts';
import { firewallNetwork } from '../firewall.ts';
import type { BridgePlan, FirewallNetwork, NativeBinding } from '../native/binding.ts';
import type { Config, GeneratedNetwork, OwnConflist } from '../settings.ts';
import { networkFacts } from './facts.ts';

/** A network whose configuration was read, and what the kernel needs for it. */
export interface Network {
  readonly name: string;
  readonly list: ConfList;
  readonly firewall: FirewallNetwork;
  /** `null`: the chain makes its own. */
  readonly bridge: BridgePlan | null;
  /** The conflist that this library writes; `null`: the user's own. */
  readonly generated: { readonly confDir: string; readonly conflist: generate.GeneratedNetwork } | null;
}

/** What Debian 12's plugins speak at most. */
const generatedVersion = '1.0.0';

const lastPlugin = 'tc-redirect-tap';

/** Locally administered, and the same wherever and whenever: guests keep it in their ARP caches. */
function bridgeMac(network: string, bridge: string): string {
  const digest = createHash('sha256').update(`${network}\0${bridge}`).digest();
  return ['02', ...[...digest.subarray(0, 5)].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

function describe(source: GeneratedNetwork): generate.GeneratedNetwork {
  const { network, bridge, mtu, subnet, gateway, routes, dns, addressDir } = source;
  return {
    ...{ name: network, cniVersion: generatedVersion, bridge, mtu: mtu ?? 0 },
    ...{ subnets: [{ subnet, gateway }], routes, dns, dataDir: addressDir },
  };
}

function bridgePlan({ network, bridge, mtu, subnet, gateway }: GeneratedNetwork): BridgePlan {
  const cidr = parseCidr(subnet);
  return {
    ...{ name: bridge, mac: bridgeMac(network, bridge), mtu: mtu ?? 0 },
    addresses: [`${gateway}/${cidr?.prefixLength}`],
    ipv6: cidr?.address.family === 6,
  };
}

function firewallOf(list: ConfList, config: Config): FirewallNetwork {
  const { masquerade, allowLinkLocal, hostAccess } = config;
  const policy = { network: list.name, masquerade, allowLinkLocal, hostAccess };
  return firewallNetwork({ ...policy, ...networkFacts(list) });
}

async function ownList(binding: NativeBinding, { path, network }: OwnConflist): Promise<ConfList> {
  const list = await loadConfList(binding, path);
  if (network !== null && network !== list.name) {
    const message = `network "${network}" is not the one of ${path}, which is "${list.name}"`;
    throw new NetworkError('ERR_OPTION_INVALID', message, { path });
  }
  if (list.plugins.at(-1)?.type !== lastPlugin) {
    const message = `${path}: its last plugin is not ${lastPlugin}, without which there is no TAP device`;
    throw new NetworkError('ERR_CONFLIST_INVALID', message, { path });
  }
  return list;
}

/** Reads, or composes, the network's configuration; changes nothing. */
export async function resolveNetwork(binding: NativeBinding, config: Config): Promise<Network> {
  const { source } = config;
  if (source.kind === 'own') {
    const list = await ownList(binding, source);
    return { name: list.name, list, firewall: firewallOf(list, config), bridge: null, generated: null };
  }
  const conflist = describe(source);
  const { confDir } = source;
  const path = join(confDir, `${source.network}.conflist`);
  const list = parseConfList(generate.generateConfList(conflist), path);
  return {
    ...{ name: list.name, list, firewall: firewallOf(list, config) },
    ...{ bridge: bridgePlan(source), generated: { confDir, conflist } },
  };
}
