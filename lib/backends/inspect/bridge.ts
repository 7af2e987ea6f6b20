import { once } from '../../async/once.ts';
import { parseAnyConf } from '../../cni/conflist.ts';
import { currentResult } from '../../cni/convert.ts';
import type { CacheRecord } from '../../cni/types.ts';
import type { BridgePlan } from '../../native/engine.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { AddressInfo } from '../../native/netlink.ts';
import type { HostLinks } from '../host/host-link.ts';
import { firstInterface } from '../host/host-link.ts';
import { forwardingOf } from '../network/forwarding.ts';
import type { NativeLayout } from '../network/layout.ts';
import type { Network } from '../network/network.ts';
import { ensureBridge, isOwnBridge } from '../network/own-bridges.ts';
import { bridgeNameOf } from '../network/plugin-conf.ts';
import type { Runtime } from '../network/runtime.ts';
import { type Finding, onHost } from './finding.ts';

/** What of a network's bridge is not as `open`, or the chain, left it. */

/** The one that the attachment was made a port of. */
export function recordedBridge(record: CacheRecord, { bridge, bridges }: NativeLayout): string {
  const recorded = firstInterface(record) ?? bridge;
  return bridges.includes(recorded) ? recorded : bridge;
}

/** How an attachment hangs on its bridge. */
export interface BridgeShare {
  /** What the bridge is to be; `null`: nobody here knows. */
  readonly plan: BridgePlan | null;
  /** What the host's link is a port of, and how; `null`: of none. */
  readonly port: BridgePort | null;
}

export interface BridgePort {
  readonly bridge: string;
  readonly hairpin: boolean;
  readonly isolated: boolean;
  /** Whether these options were set: older plugins take no notice of what they don't know. */
  readonly isSure: boolean;
}

/** As the attachment's own setup made it, whatever the network's options are now. */
export function bridgeShare(
  { network }: Runtime,
  record: CacheRecord,
  layout: NativeLayout | null,
): BridgeShare {
  if (layout === null) return shareOfChain(network, record) ?? { plan: null, port: null };
  const { hairpin, isolated, linkGroup } = layout;
  const bridge = recordedBridge(record, layout);
  return {
    plan: network.bridges.find(({ name }) => name === bridge) ?? null,
    port: linkGroup === null ? { bridge, hairpin, isolated, isSure: true } : null,
  };
}

/** As the bridge plugin left it, of which results tell. Only the plugin knows of VLANs. */
function shareOfChain({ bridges, list }: Network, { config, result }: CacheRecord): BridgeShare | null {
  if (result === null) return null;
  const { plugins } = config === '' || config === list.text ? list : parseAnyConf(config, 'the record');
  const { interfaces, ips } = currentResult(result);
  const [first] = interfaces;
  const plugin = plugins.find(({ type, raw }) => type === 'bridge' && bridgeNameOf(raw) === first?.name);
  if (first === undefined || plugin === undefined) return null;
  const { isGateway, isDefaultGateway, hairpinMode, portIsolation, vlan = 0, vlanTrunk } = plugin.raw;
  if (vlan !== 0 || vlanTrunk !== undefined) return null;
  const gateways = ips.flatMap(({ address, gateway }) =>
    gateway === null ? [] : [`${gateway}/${address.split('/')[1]}`],
  );
  const hasGateway = isGateway === true || isDefaultGateway === true;
  const { name, mac } = first;
  const made = bridges.find((each) => each.name === name) ?? { name, mtu: 0, ipv6: true, bare: true };
  return {
    plan: { ...made, mac: mac.toLowerCase(), addresses: hasGateway ? unique(gateways) : [] },
    port: { bridge: name, hairpin: hairpinMode === true, isolated: portIsolation === true, isSure: false },
  };
}

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)];

interface BridgeReading {
  readonly links: () => Promise<HostLinks>;
  readonly addresses: () => Promise<readonly AddressInfo[]>;
}

/** Up, with the gateway's addresses, and forwarded from. Of a bridge that others have made nothing else is looked at, or put back. */
export async function inspectBridge(
  runtime: Runtime,
  host: BridgeReading,
  plan: BridgePlan,
): Promise<readonly Finding[]> {
  const { name } = plan;
  const { all } = await host.links();
  const bridge = all.find((each) => each.kind === 'bridge' && each.name === name);
  // All VMs', and so put back once for all.
  const again = once(() => ensureBridge(runtime, plan));
  if (bridge === undefined) return [onHost('bridge', `${name} is gone`, again)];
  const addresses = (await host.addresses()).filter(({ link }) => link === bridge.index);
  const present = new Set(addresses.map(({ ip, prefixLength }) => `${ip}/${prefixLength}`));
  const missing = plan.addresses.filter((address) => !present.has(address));
  const messages = [
    ...(bridge.up ? [] : [`${name} is down`]),
    ...missing.map((address) => `${name} has no address ${address}`),
  ];
  const findings = messages.map((message) => onHost('bridge', message, again));
  const key = forwardingOf(name);
  const value = isOwnBridge(runtime.network, bridge)
    ? await atStep('forwarding', () => runtime.binding.sysctlRead({ key }))
    : null;
  if (value === null || value === '1') return findings;
  return [...findings, onHost('forwarding', `the host does not forward: ${key} is not 1`, again)];
}
