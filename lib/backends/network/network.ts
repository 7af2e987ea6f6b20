import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { parseConfList } from '../../cni/conflist.ts';
import { loadConfList } from '../../cni/discovery.ts';
import * as generate from '../../cni/generate.ts';
import type { ConfList } from '../../cni/types.ts';
import { atLeast, effectiveVersion } from '../../cni/version.ts';
import { NetworkError } from '../../errors.ts';
import { firewallNetwork } from '../../firewall.ts';
import type { NativeBinding } from '../../native/binding.ts';
import type { BridgePlan, FirewallNetwork } from '../../native/engine.ts';
import { linkLocalRule } from '../../rules.ts';
import type { Config, GeneratedNetwork, OwnConflist } from '../../settings.ts';
import { ethernetMtu, uplinkMtu } from '../host/uplink.ts';
import { networkFacts } from './facts.ts';
import { conflistMtu } from './given-mtu.ts';
import { bridgeCountKey, buildableLayout, type NativeLayout, nativeLayout, routedKey } from './layout.ts';
import { bridgeNameOf } from './plugin-conf.ts';

/** A bridge that is there. */
export interface Bridge {
  readonly name: string;
  readonly mac: string;
}

/** A network whose configuration was read, and what the kernel needs for it. */
export interface Network {
  readonly name: string;
  readonly list: ConfList;
  readonly firewall: FirewallNetwork;
  /** Whether its links are guarded against spoofing. */
  readonly guarded: boolean;
  /** All that there may be, the first at once; none: the chain makes its own, if any. */
  readonly bridges: readonly BridgePlan[];
  /** What plugins are not needed for; `null`: only they can build it. */
  readonly layout: NativeLayout | null;
  /** Of what attachments are given where the conflist says nothing: the uplink's. */
  readonly mtu: number;
  /** The conflist that this library writes; `null`: the user's own. */
  readonly generated: { readonly confDir: string; readonly conflist: generate.GeneratedNetwork } | null;
}

/** What Debian 12's plugins speak at most. */
const generatedVersion = '1.0.0';

const lastPlugin = 'tc-redirect-tap';

/** The first whose results name interfaces, of which the TAP is one. */
const leastVersion = '0.3.0';

/** Locally administered, and the same wherever and whenever: guests keep it in their ARP caches. */
export function bridgeMac(network: string, bridge: string): string {
  const digest = createHash('sha256').update(`${network}\0${bridge}`).digest();
  return ['02', ...[...digest.subarray(0, 5)].map((byte) => byte.toString(16).padStart(2, '0'))].join(':');
}

function describe(source: GeneratedNetwork, mtu: number): generate.GeneratedNetwork {
  const { network, bridge, subnet, gateway, ranges, routes, dns, addressDir } = source;
  const { hairpin, isolated, layout, promiscuous } = source;
  const named = source.mtu ?? (mtu === ethernetMtu ? 0 : mtu);
  return {
    ...{ name: network, cniVersion: generatedVersion, bridge, mtu: named },
    ...{ subnets: [{ subnet, gateway, ranges }], routes, dns, dataDir: addressDir },
    ...{ hairpin, isolated, promiscuous },
    ...(layout === 'bridges' ? { bridgeCount: source.bridgeCount } : {}),
    ...(layout === 'routed' ? { routed: true } : {}),
  };
}

/** Of one among several, only the gateway's own address: which VMs are behind which, routes say. */
function bridgePlans(network: string, layout: NativeLayout): readonly BridgePlan[] {
  const { bridges, hostRoutes, isolated, linkGroup, mtu, sets, isGateway, promiscuous } = layout;
  const ranges = sets.flatMap((set) => set.ranges);
  const addresses = ranges.map(({ gateway, prefixLength }) => `${gateway}/${hostRoutes ? 32 : prefixLength}`);
  const common = {
    ...{ mtu, promiscuous, addresses: isGateway ? [...new Set(addresses)] : [] },
    ipv6: ranges.some(({ start }) => start.includes(':')),
    // VMs that are kept from each other find none on another bridge either.
    proxyArp: hostRoutes && linkGroup === null && !isolated,
  };
  return bridges.map((name) => ({ name, mac: bridgeMac(network, name), ...common }));
}

/**
 * The bridge that the chain would make, as its bridge plugin makes it, with a MAC by which it is known as this network's. None
 * where there are several plugins of them, or VLANs: those are filtered by a bridge that was made for it.
 */
function chainBridges({ name, plugins }: ConfList): readonly BridgePlan[] {
  const [bridge, ...others] = plugins.filter(({ type }) => type === 'bridge');
  if (bridge === undefined || others.length > 0) return [];
  const { mtu, vlan = 0, vlanTrunk = [] } = bridge.raw;
  if (vlan !== 0 || !isDeepStrictEqual(vlanTrunk, [])) return [];
  const plan = { name: bridgeNameOf(bridge.raw), mtu: typeof mtu === 'number' ? mtu : 0 };
  return [{ ...plan, mac: bridgeMac(name, plan.name), addresses: [], ipv6: true, bare: true }];
}

function firewallOf(list: ConfList, config: Config): FirewallNetwork {
  const { masquerade, allowLinkLocal, hostAccess } = config;
  const policy = { network: list.name, masquerade, allowLinkLocal, hostAccess };
  const facts = networkFacts(list);
  for (const { subnet } of facts.subnets) {
    const problem = linkLocalRule(allowLinkLocal)(subnet);
    if (problem !== null) throw new NetworkError('ERR_OPTION_INVALID', `subnet ${subnet} ${problem}`);
  }
  return firewallNetwork({ ...policy, ...facts });
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
  if (!atLeast(list.cniVersion, leastVersion)) {
    const version = effectiveVersion(list.cniVersion);
    const message = `${path}: results of CNI ${version}, its version, name no TAP device; use ${leastVersion} or later`;
    throw new NetworkError('ERR_VERSION_UNSUPPORTED', message, { path });
  }
  const key = [bridgeCountKey, routedKey].find((each) => list.plugins.some(({ raw }) => each in raw));
  if (key !== undefined) {
    const message = `${path}: "${key}" is for the option layout to describe: leave it, or conflist, out`;
    throw new NetworkError('ERR_CONFLIST_INVALID', message, { path });
  }
  return list;
}

function describeList(list: ConfList, config: Config) {
  const firewall = firewallOf(list, config);
  return { name: list.name, list, firewall, guarded: config.antiSpoofing };
}

/** Reads, or composes, the network's configuration; changes nothing. */
export async function resolveNetwork(binding: NativeBinding, config: Config): Promise<Network> {
  const { source } = config;
  const uplink = await uplinkMtu(binding);
  if (source.kind === 'own') {
    const list = await ownList(binding, source);
    const layout = config.backend === 'native' ? buildableLayout(list, source.path) : null;
    const bridges = layout === null ? chainBridges(list) : bridgePlans(list.name, layout);
    const mtu = (layout && conflistMtu(layout, list.text)) ?? uplink;
    return { ...describeList(list, config), bridges, layout, mtu, generated: null };
  }
  const conflist = describe(source, uplink);
  const { confDir } = source;
  const path = join(confDir, `${source.network}.conflist`);
  const list = parseConfList(generate.generateConfList(conflist), path);
  const layout = nativeLayout(list, path);
  return {
    ...{ ...describeList(list, config), layout, mtu: source.mtu ?? uplink },
    ...{ bridges: bridgePlans(list.name, layout), generated: { confDir, conflist } },
  };
}
