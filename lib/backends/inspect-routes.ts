import type { CacheRecord } from '../cni/types.ts';
import type { BridgePlan } from '../native/binding.ts';
import { type Finding, onHost } from './finding.ts';
import { unreachableSubnets } from './host-routes.ts';
import { bridgeOf } from './inspect-host.ts';
import { atStep } from './kernel-error.ts';
import type { NativeLayout } from './native-layout.ts';
import { addressesOf } from './network-config.ts';
import type { Runtime } from './runtime.ts';

/** What of the way between an attachment and the rest of its subnet is not as its setup left it. */

/** Where the host has a route to each VM: the VM's, its bridge's part in it, and what keeps the rest out. */
export async function inspectRoutes(
  runtime: Runtime,
  record: CacheRecord,
  layout: NativeLayout | null,
): Promise<readonly Finding[]> {
  if (layout?.hostRoutes !== true) return [];
  const { binding, network } = runtime;
  const bridge = bridgeOf(record, layout);
  const dump = await atStep('route', () => binding.dump({ kinds: ['links', 'addresses', 'routes'] }));
  const link = dump.links.find(({ kind, name }) => kind === 'bridge' && name === bridge);
  // Without the bridge there is none of this; that it is gone is a finding of its own.
  if (link === undefined) return [];
  const findings: Finding[] = [];
  const plan = network.bridges.find(({ name }) => name === bridge);
  if (plan !== undefined) {
    const has = (address: string) =>
      dump.addresses.some(
        ({ ip, link: on, prefixLength }) => on === link.index && address === `${ip}/${prefixLength}`,
      );
    findings.push(
      ...plan.addresses
        .filter((address) => !has(address))
        .map((address) => noAddress(runtime, plan, address)),
    );
    findings.push(...(await inspectProxy(runtime, plan)));
  }
  const destinations = (addressesOf(record) ?? []).map((ip) => `${ip}/32`);
  const leadsTo = (on: number) => (destination: string) =>
    dump.routes.some((route) => route.destination === destination && route.link === on);
  const source = layout.sets.flatMap(({ ranges }) => ranges)[0]?.gateway;
  for (const destination of destinations.filter((each) => !leadsTo(link.index)(each))) {
    const plan = {
      destination,
      link: bridge,
      ...(source === undefined || source === null ? {} : { source }),
    };
    const message = `the host has no route to ${destination} by ${bridge}`;
    findings.push(onHost('route', message, () => atStep('route', () => binding.hostRouteAdd(plan))));
  }
  for (const destination of unreachableSubnets(network).filter((each) => !leadsTo(0)(each))) {
    const message = `what no VM has of ${destination} leads to the host's default route`;
    findings.push(
      onHost('route', message, () => atStep('route', () => binding.hostRouteAdd({ destination }))),
    );
  }
  return findings;
}

const again =
  ({ binding }: Runtime, plan: BridgePlan) =>
  () =>
    atStep('bridge', () => binding.bridgeEnsure(plan));

function noAddress(runtime: Runtime, plan: BridgePlan, address: string): Finding {
  return onHost('bridge', `${plan.name} has no address ${address}`, again(runtime, plan));
}

async function inspectProxy(runtime: Runtime, plan: BridgePlan): Promise<readonly Finding[]> {
  if (plan.proxyArp !== true) return [];
  const { name } = plan;
  const wanted = { [`net/ipv4/conf/${name}/proxy_arp`]: '1', [`net/ipv4/neigh/${name}/proxy_delay`]: '0' };
  const findings: Finding[] = [];
  for (const [key, value] of Object.entries(wanted)) {
    const present = await atStep('bridge', () => runtime.binding.sysctlRead({ key }));
    if (present === value) continue;
    findings.push(onHost('bridge', `${key} is ${present} instead of ${value}`, again(runtime, plan)));
  }
  return findings;
}
