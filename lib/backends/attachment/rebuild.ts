import { convertResult } from '../../cni/convert.ts';
import type { AttachmentKey, CacheRecord, Interface, IpConfig } from '../../cni/types.ts';
import { currentVersion } from '../../cni/version.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { Dump, LinkInfo } from '../../native/netlink.ts';
import { conflistMtu } from '../network/given-mtu.ts';
import type { Runtime } from '../network/runtime.ts';
import { runtimeConf } from './runtime-conf.ts';

/** The record of an attachment, made again from what the kernel still says about it. */

/** `RT_SCOPE_UNIVERSE`. */
const globalScope = 0;
const zero = '0.0.0.0';

const asInterface = (link: Pick<LinkInfo, 'name' | 'mac'>, sandbox: string, mtu = 0): Interface => ({
  ...{ name: link.name, mac: link.mac, sandbox },
  ...{ mtu, socketPath: '', pciId: '' },
});

/** 0: what the conflist says now is true of it. */
function ownMtu({ network: { layout, list } }: Runtime, { mtu }: LinkInfo): number {
  return layout === null || conflistMtu(layout, list.text) === mtu ? 0 : mtu;
}

/** What stands inside, as its setup left it: a link, a TAP, and each sends to the other what it receives. */
interface Inside {
  readonly dump: Dump;
  readonly link: LinkInfo;
  readonly tap: LinkInfo;
}

/** `null` where a part of it is missing: its setup never came to its end. */
function insideOf(dump: Dump, ifName: string, host: LinkInfo): Inside | null {
  const { links, filters } = dump;
  const link = links.find(({ name }) => name === ifName);
  if (link === undefined || link.peer !== host.index || host.peer !== link.index || !link.up) return null;
  const sendsTo = (from: number, to: number) =>
    filters.some((filter) => filter.link === from && filter.redirectTo === to);
  const tap = links.find(
    ({ kind, index }) => kind === 'tun' && sendsTo(link.index, index) && sendsTo(index, link.index),
  );
  return tap === undefined ? null : { dump, link, tap };
}

export function readInside({ binding }: Runtime, netns: string): Promise<Dump> {
  return atStep('inside', () =>
    binding.dump({ netns, kinds: ['links', 'addresses', 'routes', 'qdiscs', 'filters'] }),
  );
}

/** A TAP has a carrier while a VMM has it open. */
export function isInUse({ links }: Dump): boolean {
  return links.some(({ kind, lowerUp }) => kind === 'tun' && lowerUp);
}

/** `null` where the namespace does not hold a whole attachment of that link. */
export function rebuildRecord(
  runtime: Runtime,
  key: AttachmentKey,
  vmId: string,
  host: LinkInfo,
  bridge: LinkInfo | null,
  dump: Dump,
): CacheRecord | null {
  const inside = insideOf(dump, key.ifName, host);
  if (inside === null) return null;
  const { anchors, network } = runtime;
  const { link, tap } = inside;
  const netns = anchors.pathOf(vmId);
  const before = [...(bridge === null ? [] : [asInterface(bridge, '')]), asInterface(host, '')];
  const ips = ipsOf(inside, before.length);
  const routes = network.layout?.routes ?? kernelRoutes(inside);
  const result = {
    cniVersion: currentVersion,
    interfaces: [
      ...before,
      asInterface(link, netns, ownMtu(runtime, link)),
      asInterface({ name: tap.name, mac: network.layout === null ? tap.mac : '' }, netns),
      asInterface({ name: tap.name, mac: link.mac }, key.containerId),
    ],
    ips,
    routes: routes.map(({ destination, gateway }) => ({
      ...{ dst: destination, gw: gateway },
      ...{ mtu: 0, advmss: 0, priority: 0, table: null, scope: null },
    })),
    dns: network.layout === null ? noDns : { ...network.layout.dns, domain: network.layout.dns.domain ?? '' },
  };
  const tapOwner = { uid: tap.tapUid, gid: tap.tapGid };
  // Only the native backend always says which MAC it wants.
  const mac = runtime.config.backend === 'native' ? link.mac : null;
  const { containerId } = key;
  return {
    ...{ ...key, config: network.list.text },
    ...runtimeConf(runtime, { vmId, containerId, mac, address: null, tapName: tap.name, tapOwner }),
    result: convertResult(result, network.list.cniVersion),
  };
}

const noDns = { nameservers: [], domain: '', search: [], options: [] };

/** Each address twice: on the link, and of the guest. */
function ipsOf({ dump, link }: Inside, linkAt: number): readonly IpConfig[] {
  const own = dump.addresses.filter(
    (address) => address.link === link.index && address.scope === globalScope,
  );
  const ipsOn = (at: number) =>
    own.map(({ ip, prefixLength, family }) => ({
      ...{ version: '', interface: at, address: `${ip}/${prefixLength}` },
      gateway: gatewayOf(dump, family),
    }));
  return [...ipsOn(linkAt), ...ipsOn(linkAt + 2)];
}

function gatewayOf({ routes }: Dump, family: 4 | 6): string | null {
  const through = routes.find((route) => route.family === family && route.gateway !== null);
  return through?.gateway ?? null;
}

function kernelRoutes({ dump, link }: Inside) {
  return dump.routes
    .filter((route) => route.link === link.index && route.gateway !== null && route.gateway !== zero)
    .map(({ destination, gateway }) => ({ destination, gateway }));
}
