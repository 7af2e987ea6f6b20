import { createHash } from 'node:crypto';
import { convertResult } from '../cni/convert.ts';
import { recordName } from '../cni/names.ts';
import { formatRecord } from '../cni/record.ts';
import type { AnyResult, AttachmentKey, CacheRecord, Result, RuntimeConf } from '../cni/types.ts';
import { currentVersion } from '../cni/version.ts';
import { addressRequests } from '../ipam.ts';
import type { AttachInterface, AttachPlan, ReservedAddress } from '../native/attachment.ts';
import type { Scope } from '../operation.ts';
import type { NetworkRoute } from '../types.ts';
import type { AttachRequest } from './backend.ts';
import { ownAddresses } from './guard.ts';
import { aliasOf, newHostLinkName } from './host-link.ts';
import type { NativeLayout } from './native-layout.ts';
import { keyOf } from './records.ts';
import type { Runtime } from './runtime.ts';
import { runtimeConf } from './runtime-conf.ts';

/** One setup, composed: every name and policy in it is decided here. */
export interface AttachmentPlan {
  readonly plan: AttachPlan;
  /** What the record says the result is, once the addresses are known. */
  resultOf(addresses: readonly ReservedAddress[]): AnyResult;
}

/** Locally administered, unicast, and the same whenever it is made of the same words. */
export function derivedMac(...words: readonly string[]): string {
  const digest = createHash('sha256').update(words.join('\0')).digest('hex');
  return `02:${(digest.slice(0, 10).match(/../g) ?? []).join(':')}`;
}

/** A guest that starts again has the MAC that it had. */
export function guestMac({ network, ifName }: AttachmentKey, vmId: string): string {
  return derivedMac('guest', network, vmId, ifName);
}

type Link = Omit<AttachInterface, 'record'>;

interface AddressText {
  readonly cidr: string;
  readonly gateway: string | null;
}

/** The result of the chain that does the same. */
function chainResult(
  { routes, dns, bridge }: NativeLayout,
  bridgeMac: string,
  { hostLink, hostMac, name, mac, tap }: Link,
  { containerId, netns }: RuntimeConf,
  addresses: readonly AddressText[],
): Result {
  const none = { mtu: 0, socketPath: '', pciId: '' };
  const [inSandbox, inGuest] = [2, 4];
  const ipsOf = (index: number) =>
    addresses.map(({ cidr, gateway }) => ({ version: '', interface: index, address: cidr, gateway }));
  return {
    cniVersion: currentVersion,
    interfaces: [
      { ...none, name: bridge, mac: bridgeMac, sandbox: '' },
      { ...none, name: hostLink, mac: hostMac, sandbox: '' },
      { ...none, name, mac, sandbox: netns },
      { ...none, name: tap.name, mac: '', sandbox: netns },
      { ...none, name: tap.name, mac, sandbox: containerId },
    ],
    ips: [...ipsOf(inSandbox), ...ipsOf(inGuest)],
    routes: routes.map(({ destination, gateway }) => ({
      ...{ dst: destination, gw: gateway },
      ...{ mtu: 0, advmss: 0, priority: 0, table: null, scope: null },
    })),
    dns: { ...dns, domain: dns.domain ?? '' },
  };
}

/** A route without a gateway goes by that of the first address of its family. */
export function withGateways(
  routes: readonly NetworkRoute[],
  gateways: readonly (string | null)[],
): readonly NetworkRoute[] {
  const isIpv6 = (text: string) => text.includes(':');
  return routes.map(({ destination, gateway }) => ({
    destination,
    gateway:
      gateway ?? gateways.find((each) => each !== null && isIpv6(each) === isIpv6(destination)) ?? null,
  }));
}

/** No name, path or text of a record has a NUL in it; JSON spells it so. The colon tells IPv6 from IPv4. */
const placeholder = (index: number, gateway: string | null) =>
  `\0${index}${gateway?.includes(':') ? ':' : ''}\0`;
const spelled = /\\u0000(\d+):?\\u0000/;

/** Literal text, and between two pieces of it the number of an address. */
function piecesOf(text: string): readonly (string | number)[] {
  return text.split(spelled).map((piece, index) => (index % 2 === 0 ? piece : Number(piece)));
}

export function planAttachment(
  runtime: Runtime,
  layout: NativeLayout,
  bridgeMac: string,
  request: AttachRequest & { readonly mac: string },
  scope: Scope,
): AttachmentPlan {
  const { anchors, cache, config, locks, network } = runtime;
  const { vmId, containerId, mac, tapName, tapOwner } = request;
  const key = keyOf(runtime, containerId);
  const target = runtimeConf(runtime, request);
  const hostLink = newHostLinkName(key);
  const requests = addressRequests(layout.sets, request.address === null ? [] : [request.address]);
  // The ranges of a set share their gateway.
  const gateways = requests.map(({ ranges }) => ranges[0]?.gateway ?? null);
  const link: Link = {
    port: { bridge: layout.bridge, hairpin: layout.hairpin, isolated: layout.isolated },
    ...{ hostLink, alias: aliasOf(key), hostMac: derivedMac('host', hostLink) },
    ...{ name: key.ifName, mac, mtu: network.mtu, tap: { name: tapName, ...tapOwner } },
    routes: withGateways(layout.routes, gateways),
    guard: config.antiSpoofing ? { addresses: ownAddresses(mac, network.firewall.ipv6) } : null,
    addresses: { directory: layout.addressDir, owner: ownerOf(key), requests },
  };
  const resultWith = (addresses: readonly AddressText[]) =>
    convertResult(chainResult(layout, bridgeMac, link, target, addresses), network.list.cniVersion);
  const draft = gateways.map((gateway, index) => ({ cidr: placeholder(index, gateway), gateway }));
  const record: CacheRecord = { ...key, ...target, config: network.list.text, result: resultWith(draft) };
  const file = { directory: cache.directory, name: recordName(key) };
  const plan = {
    ...{ locks: locks.planOf(vmId, scope), anchor: anchors.fileOf(vmId) },
    interfaces: [{ ...link, record: { ...file, text: piecesOf(formatRecord(record)) } }],
  };
  const resultOf = (addresses: readonly ReservedAddress[]) =>
    resultWith(
      addresses.map(({ ip, prefixLength, gateway }) => ({ cidr: `${ip}/${prefixLength}`, gateway })),
    );
  return { plan, resultOf };
}

/** Who has an address, in host-local's words. */
export function ownerOf({ containerId, ifName }: Omit<AttachmentKey, 'network'>): string {
  return `${containerId}\r\n${ifName}`;
}
