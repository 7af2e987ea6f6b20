import type { CacheRecord } from '../../cni/types.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { LinkInfo } from '../../native/netlink.ts';
import { recordedAddresses } from '../attachment/network-config.ts';
import { unreachableSubnets } from '../network/host-routes.ts';
import type { NativeLayout } from '../network/layout.ts';
import type { Runtime } from '../network/runtime.ts';
import { recordedBridge } from './bridge.ts';
import { type Finding, onHost } from './finding.ts';
import type { HostReading, HostWays } from './host-reading.ts';

/** What of the way between an attachment and the rest of its subnet is not as its setup left it. */

/** Where the host has a route to each VM: the VM's, its link's part in it, and what keeps the rest out. */
export async function inspectRoutes(
  runtime: Runtime,
  host: HostReading,
  record: CacheRecord,
  layout: NativeLayout | null,
): Promise<readonly Finding[]> {
  if (layout?.hostRoutes !== true) return [];
  const links = await host.links();
  const ways = await host.ways();
  const name = recordedBridge(record, layout);
  const bridge = links.all.find((each) => each.kind === 'bridge' && each.name === name);
  const link = layout.linkGroup === null ? bridge : (links.of(record) ?? undefined);
  return [
    // That the link itself is gone is a finding of its own.
    ...(link === undefined ? [] : await inspectWay(runtime, record, layout, link, ways)),
    ...inspectSubnets(runtime, ways),
  ];
}

async function inspectWay(
  { binding }: Runtime,
  record: CacheRecord,
  { isolated, linkGroup, sets }: NativeLayout,
  { index, name }: LinkInfo,
  ways: HostWays,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const conf = `net/ipv4/conf/${name}`;
  const proxy = { [`${conf}/proxy_arp`]: '1', [`net/ipv4/neigh/${name}/proxy_delay`]: '0' };
  const settings = {
    ...(isolated ? {} : proxy),
    ...(linkGroup === null ? {} : { [`${conf}/arp_ignore`]: '0', [`${conf}/forwarding`]: '1' }),
  };
  for (const [key, value] of Object.entries(settings)) {
    const present = await atStep('link', () => binding.sysctlRead({ key }));
    if (present === value) continue;
    const message = `${key} is ${present} instead of ${value}`;
    findings.push(onHost('link', message, () => atStep('link', () => binding.sysctlWrite({ key, value }))));
  }
  const gateway = sets.flatMap(({ ranges }) => ranges)[0]?.gateway ?? null;
  for (const ip of recordedAddresses(record) ?? []) {
    const destination = `${ip}/32`;
    if (ways.hasRoute(destination, index)) continue;
    const route = { destination, link: name, ...(gateway === null ? {} : { source: gateway }) };
    const message = `the host has no route to ${ip} by ${name}`;
    findings.push(onHost('route', message, () => atStep('route', () => binding.hostRouteAdd(route))));
  }
  return findings;
}

export function inspectSubnets({ binding, network }: Runtime, ways: HostWays): readonly Finding[] {
  const missing = unreachableSubnets(network).filter((subnet) => !ways.hasRoute(subnet, 0));
  return missing.map((destination) => {
    const message = `what no VM has of ${destination} leads to the host's default route`;
    return onHost('route', message, () => atStep('route', () => binding.hostRouteAdd({ destination })));
  });
}
