import { convertResult } from '../cni/convert.ts';
import { formatRecord } from '../cni/record.ts';
import { resultText } from '../cni/result.ts';
import { slot, Template } from '../cni/template.ts';
import type { AnyResult, CacheRecord, JsonObject, Result, RuntimeConf } from '../cni/types.ts';
import { currentVersion } from '../cni/version.ts';
import { addressRequests } from '../ipam.ts';
import type { AddressRequest, ReservedAddress } from '../native/attachment.ts';
import type { NetworkConfig, NetworkRoute } from '../types.ts';
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

type AddressText = (index: number, gateway: string | null) => string;

const isIpv6 = (text: string | null) => text?.includes(':') === true;

/** The colon tells IPv6 from IPv4. */
const addressSlot: AddressText = (index, gateway) => slot(`${index}${isIpv6(gateway) ? ':' : ''}`);
/** An address that says which one it is. */
const sample: AddressText = (index, gateway) => `${isIpv6(gateway) ? '::' : '0.0.0.'}${index + 1}/0`;
const sampled = (ip: string) => Number(/\d+$/.exec(ip)?.[0]) - 1;

/** The result of the chain that does the same. */
function chainResult(
  { routes, dns, bridge }: NativeLayout,
  bridgeMac: string,
  ifName: string,
  gateways: readonly (string | null)[],
  { containerId, netns, hostLink, hostMac, mac, tapName }: AttachmentNames,
  addressText: AddressText,
): Result {
  const none = { mtu: 0, socketPath: '', pciId: '' };
  const [inSandbox, inGuest] = [2, 4];
  const ipsOf = (index: number) =>
    gateways.map((gateway, each) => ({
      ...{ version: '', interface: index, address: addressText(each, gateway), gateway },
    }));
  return {
    cniVersion: currentVersion,
    interfaces: [
      { ...none, name: bridge, mac: bridgeMac, sandbox: '' },
      { ...none, name: hostLink, mac: hostMac, sandbox: '' },
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

/** A route without a gateway goes by that of the first address of its family. */
export function withGateways(
  routes: readonly NetworkRoute[],
  gateways: readonly (string | null)[],
): readonly NetworkRoute[] {
  return routes.map(({ destination, gateway }) => ({
    destination,
    gateway:
      gateway ?? gateways.find((each) => each !== null && isIpv6(each) === isIpv6(destination)) ?? null,
  }));
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
  readonly routes: readonly NetworkRoute[];
  readonly #record: Template;
  readonly #result: Template;
  readonly #config: NetworkConfig;

  constructor(runtime: Runtime, layout: NativeLayout, bridgeMac: string, address: string | null) {
    const { config, network } = runtime;
    this.requests = addressRequests(layout.sets, address === null ? [] : [address]);
    // The ranges of a set share their gateway.
    const gateways = this.requests.map(({ ranges }) => ranges[0]?.gateway ?? null);
    this.routes = withGateways(layout.routes, gateways);
    const resultOf = (addressText: AddressText): AnyResult =>
      convertResult(
        chainResult(layout, bridgeMac, config.ifName, gateways, slots, addressText),
        network.list.cniVersion,
      );
    const key = keyOf(runtime, slots.containerId);
    const result = resultOf(addressSlot);
    const conf = slottedConf(runtime, address);
    const record: CacheRecord = { ...key, ...conf, config: network.list.text, result };
    this.#record = new Template(formatRecord(record));
    this.#result = new Template(resultText(result));
    const facts = { ...key, vmId: slots.vmId, backend: 'native', netnsPath: slots.netns } as const;
    const sampleConfig = networkConfig(facts, resultOf(sample), network.mtu);
    if (sampleConfig === null) throw incompleteResult(key);
    this.#config = sampleConfig;
  }

  /** Text in pieces, with the numbers of addresses between them. */
  recordText(names: AttachmentNames): readonly (string | number)[] {
    return this.#record.fill((name) => names[name as keyof AttachmentNames] ?? Number.parseInt(name, 10));
  }

  configOf(names: AttachmentNames, reserved: readonly ReservedAddress[]): NetworkConfig {
    const at = (index: number) => reserved[index] as ReservedAddress;
    const textOf = (index: number) => `${at(index).ip}/${at(index).prefixLength}`;
    const result = this.#result.fill(
      (name) => names[name as keyof AttachmentNames] ?? textOf(Number.parseInt(name, 10)),
    );
    const { addresses: samples, dns, routes, ...constant } = this.#config;
    const addresses = samples.map(({ family, ip, gateway }) => {
      const { ip: own, prefixLength } = at(sampled(ip));
      return { family, ip: own, prefixLength, gateway };
    });
    const first = at(sampled(constant.guestIp));
    const { vmId, containerId, netns, mac, tapName } = names;
    const { nameservers, domain, search, options } = dns;
    return {
      ...{ ...constant, vmId, containerId, netnsPath: netns, mac, tapName, addresses },
      ...{ guestIp: first.ip, prefixLength: first.prefixLength },
      routes: routes.map(({ destination, gateway }) => ({ destination, gateway })),
      dns: { nameservers: [...nameservers], domain, search: [...search], options: [...options] },
      result: JSON.parse(result.join('')) as JsonObject,
    };
  }
}
