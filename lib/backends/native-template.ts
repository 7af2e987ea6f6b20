import { convertResult } from '../cni/convert.ts';
import { isIpv6Text } from '../cni/ip-text.ts';
import { formatRecord } from '../cni/record.ts';
import { resultText } from '../cni/result.ts';
import { slot, Template } from '../cni/template.ts';
import type { AnyResult, CacheRecord, JsonObject, Result, RuntimeConf } from '../cni/types.ts';
import { currentVersion } from '../cni/version.ts';
import { addressRequests } from '../ipam.ts';
import type { AddressRequest, AttachInterface, GatewayOf, ReservedAddress } from '../native/attachment.ts';
import type { NetworkAddress, NetworkConfig, NetworkRoute, Origin } from '../types.ts';
import type { Bridge } from './bridge-choice.ts';
import type { NativeLayout } from './native-layout.ts';
import { incompleteResult, networkConfig } from './network-config.ts';
import { keyOf } from './records.ts';
import type { Runtime } from './runtime.ts';
import { runtimeConf } from './runtime-conf.ts';

/** What differs between two setups of a network, but for their addresses. */
export interface AttachmentNames {
  readonly vmId: string;
  readonly containerId: string;
  readonly netns: string;
  readonly hostLink: string;
  readonly hostMac: string;
  readonly mac: string;
  readonly tapName: string;
  readonly uid: string;
  readonly gid: string;
}

const slots: AttachmentNames = {
  ...{ vmId: slot('vmId'), containerId: slot('containerId'), netns: slot('netns') },
  ...{ hostLink: slot('hostLink'), hostMac: slot('hostMac'), mac: slot('mac') },
  ...{ tapName: slot('tapName'), uid: slot('uid'), gid: slot('gid') },
};

interface AddressText {
  readonly address: string;
  readonly gateway: string | null;
}
type AddressTextOf = (index: number, request: AddressRequest) => AddressText;

const isIpv6 = ({ ranges }: AddressRequest) => isIpv6Text(ranges[0]?.start ?? '');
const hasGateways = ({ ranges }: AddressRequest) => ranges.every(({ gateway }) => gateway !== null);

const gatewaySlot = 'gateway ';

/** The colon tells IPv6 from IPv4. */
const addressSlots: AddressTextOf = (index, request) => {
  const name = `${index}${isIpv6(request) ? ':' : ''}`;
  return { address: slot(name), gateway: hasGateways(request) ? slot(`${gatewaySlot}${name}`) : null };
};

/** An address that says which one it is. */
const samples: AddressTextOf = (index, request) => {
  const ip = `${isIpv6(request) ? '::' : '0.0.0.'}${index + 1}`;
  return { address: `${ip}/0`, gateway: hasGateways(request) ? ip : null };
};
const sampled = (ip: string) => Number(/\d+$/.exec(ip)?.[0]) - 1;

/** The result of the chain that does the same. */
function chainResult(
  { linkGroup, routes, dns }: NativeLayout,
  bridge: Bridge,
  ifName: string,
  addresses: readonly AddressText[],
  { containerId, netns, hostLink, hostMac, mac, tapName }: AttachmentNames,
): Result {
  const none = { mtu: 0, socketPath: '', pciId: '' };
  const onHost = [
    ...(linkGroup === null ? [{ ...none, name: bridge.name, mac: bridge.mac, sandbox: '' }] : []),
    { ...none, name: hostLink, mac: hostMac, sandbox: '' },
  ];
  const [inSandbox, inGuest] = [onHost.length, onHost.length + 2];
  const ipsOf = (index: number) =>
    addresses.map((address) => ({ version: '', interface: index, ...address }));
  return {
    cniVersion: currentVersion,
    interfaces: [
      ...onHost,
      { ...none, name: ifName, mac, sandbox: netns },
      { ...none, name: tapName, mac: '', sandbox: netns },
      { ...none, name: tapName, mac, sandbox: containerId },
    ],
    ips: [...ipsOf(inSandbox), ...ipsOf(inGuest)],
    routes: routes.map(({ destination, gateway }) => ({
      ...{ dst: destination, gw: gateway },
      ...{ mtu: 0, advmss: 0, priority: 0, table: null, scope: null },
    })),
    dns: { ...dns, domain: dns.domain ?? '' },
  };
}

/** How an address's family leaves its subnet: by a gateway, or what stands for it. */
interface Way<Gateway> {
  readonly isIpv6: boolean;
  readonly gateway: Gateway;
}

/** A route without a gateway goes by that of the first address of its family. */
export function withGateways<Gateway>(
  routes: readonly NetworkRoute[],
  ways: readonly Way<Gateway>[],
): readonly { readonly destination: string; readonly gateway: string | Gateway | null }[] {
  return routes.map(({ destination, gateway }) => {
    const way = ways.find(({ isIpv6 }) => isIpv6 === isIpv6Text(destination));
    return { destination, gateway: gateway ?? way?.gateway ?? null };
  });
}

function waysOf(requests: readonly AddressRequest[]): readonly Way<GatewayOf>[] {
  return requests.flatMap((request, gatewayOf) =>
    hasGateways(request) ? [{ isIpv6: isIpv6(request), gateway: { gatewayOf } }] : [],
  );
}

/** A name; or the number of an address, or what stands for its gateway, which only native code knows. */
function contentOf(names: Partial<AttachmentNames>, slotName: string): string | number | GatewayOf {
  const name = names[slotName as keyof AttachmentNames];
  if (name !== undefined) return name;
  if (!slotName.startsWith(gatewaySlot)) return Number.parseInt(slotName, 10);
  return { gatewayOf: Number.parseInt(slotName.slice(gatewaySlot.length), 10) };
}

function addressOf(
  { family }: NetworkAddress,
  { ip, prefixLength, gateway }: ReservedAddress,
): NetworkAddress {
  return { family, ip, prefixLength, gateway };
}

function whole(template: Template, names: AttachmentNames, reserved: readonly ReservedAddress[]): string {
  const at = (index: number) => reserved[index] as ReservedAddress;
  const pieces = template.fill<string>((name) => {
    const piece = contentOf(names, name);
    if (typeof piece === 'string') return piece;
    if (typeof piece === 'number') return `${at(piece).ip}/${at(piece).prefixLength}`;
    return at(piece.gatewayOf).gateway ?? '';
  });
  return pieces.join('');
}

/** What plugins would be told, with slots for all that is a setup's own. */
function slottedConf(runtime: Runtime, address: string | null): RuntimeConf {
  const { vmId, containerId, mac, tapName, uid, gid } = slots;
  const conf = runtimeConf(runtime, { vmId, containerId, mac, address, tapName, tapOwner: { uid, gid } });
  return { ...conf, netns: slots.netns };
}

/** All setups of a network with the same wish for an address: composed once, filled in for each. */
export class AttachmentTemplate {
  readonly requests: readonly AddressRequest[];
  readonly routes: AttachInterface['routes'];
  readonly #record: Template;
  readonly #result: Template;
  readonly #config: NetworkConfig;

  readonly bridge: Bridge;

  constructor(runtime: Runtime, layout: NativeLayout, bridge: Bridge, address: string | null) {
    const { config, network } = runtime;
    this.bridge = bridge;
    // First, because it knows the network's subnets and says them.
    const conf = slottedConf(runtime, address);
    this.requests = addressRequests(layout.sets, address === null ? [] : [address]);
    this.routes = withGateways(layout.routes, waysOf(this.requests));
    const resultOf = (addressTextOf: AddressTextOf): AnyResult => {
      const addresses = this.requests.map((request, index) => addressTextOf(index, request));
      const result = chainResult(layout, bridge, config.ifName, addresses, slots);
      return convertResult(result, network.list.cniVersion);
    };
    const key = keyOf(runtime, slots.containerId);
    const result = resultOf(addressSlots);
    const record: CacheRecord = { ...key, ...conf, config: network.list.text, result };
    this.#record = new Template(formatRecord(record));
    this.#result = new Template(resultText(result));
    const facts = { ...key, vmId: slots.vmId, backend: 'native', netnsPath: slots.netns } as const;
    const sampleConfig = networkConfig(facts, resultOf(samples), network.mtu);
    if (sampleConfig === null) throw incompleteResult(key);
    this.#config = sampleConfig;
  }

  /** Text in pieces, with what stands for addresses and gateways between them. */
  recordText(names: AttachmentNames): AttachInterface['record']['text'] {
    return this.#record.fill((name) => contentOf(names, name));
  }

  /** For addresses that are known. */
  recordOf(names: AttachmentNames, reserved: readonly ReservedAddress[]): string {
    return whole(this.#record, names, reserved);
  }

  /** Its `result` is composed when somebody looks at it. */
  configOf(names: AttachmentNames, reserved: readonly ReservedAddress[], origin: Origin): NetworkConfig {
    const at = (index: number) => reserved[index] as ReservedAddress;
    const { network, backend, ifName, mtu, addresses, dns, routes, guestIp } = this.#config;
    const { ip, gateway, prefixLength } = at(sampled(guestIp));
    const template = this.#result;
    let result: JsonObject | null = null;
    return {
      vmId: names.vmId,
      network,
      backend,
      origin,
      containerId: names.containerId,
      ifName,
      tapName: names.tapName,
      mac: names.mac,
      netnsPath: names.netns,
      mtu,
      addresses: addresses.map((sample) => addressOf(sample, at(sampled(sample.ip)))),
      guestIp: ip,
      gatewayIp: gateway,
      prefixLength,
      routes: routes.map(({ destination, gateway }) => ({ destination, gateway })),
      dns: {
        nameservers: [...dns.nameservers],
        domain: dns.domain,
        search: [...dns.search],
        options: [...dns.options],
      },
      get result() {
        result ??= JSON.parse(whole(template, names, reserved)) as JsonObject;
        return result;
      },
    };
  }
}
