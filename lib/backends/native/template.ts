import { convertResult } from '../../cni/convert.ts';
import { formatRecord } from '../../cni/record.ts';
import { resultText } from '../../cni/result.ts';
import { Template } from '../../cni/template.ts';
import type { AnyResult, CacheRecord, Result, RuntimeConf } from '../../cni/types.ts';
import { currentVersion } from '../../cni/version.ts';
import { addressRequests } from '../../ipam.ts';
import type {
  AddressRequest,
  AttachInterface,
  GatewayOf,
  ReservedAddress,
  SlotPlan,
} from '../../native/attachment.ts';
import type { NetworkConfig, Origin } from '../../types.ts';
import { incompleteResult, networkConfig } from '../attachment/network-config.ts';
import { keyOf } from '../attachment/records.ts';
import { runtimeConf } from '../attachment/runtime-conf.ts';
import type { NativeLayout, Way } from '../network/layout.ts';
import { withGateways } from '../network/layout.ts';
import type { Bridge } from '../network/network.ts';
import { isOwnBridge } from '../network/own-bridges.ts';
import type { Runtime } from '../network/runtime.ts';
import { configOf, type SampleConfig } from './config.ts';
import {
  type AddressText,
  type AddressTextOf,
  type AttachmentNames,
  addressSlots,
  hasGateways,
  isIpv6,
  isName,
  isVmName,
  type LinkNames,
  nameSlots,
  type Placeholder,
  placeholderOf,
} from './placeholders.ts';

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

function waysOf(requests: readonly AddressRequest[]): readonly Way<GatewayOf>[] {
  return requests.flatMap((request, gatewayOf) =>
    hasGateways(request) ? [{ isIpv6: isIpv6(request), gateway: { gatewayOf } }] : [],
  );
}

/** What plugins would be told, with slots for all that is a setup's own. */
function slottedConf(runtime: Runtime, address: string | null): RuntimeConf {
  const { vmId, containerId, mac, tapName, uid, gid } = nameSlots;
  return runtimeConf(runtime, { vmId, containerId, mac, address, tapName, tapOwner: { uid, gid } });
}

/** All setups of a network with the same wish for an address: composed once, filled in for each. */
export class AttachmentTemplate {
  readonly requests: readonly AddressRequest[];
  readonly routes: AttachInterface['routes'];
  readonly bridge: Bridge;
  readonly isOwnBridge: boolean;
  readonly #record: Template<Placeholder>;
  readonly #sample: SampleConfig;

  constructor(runtime: Runtime, layout: NativeLayout, bridge: Bridge, address: string | null) {
    const { config, network } = runtime;
    this.bridge = bridge;
    this.isOwnBridge = isOwnBridge(network, bridge);
    // First, because it knows the network's subnets and says them.
    const conf = slottedConf(runtime, address);
    const { netns } = conf;
    this.requests = addressRequests(layout.sets, address === null ? [] : [address]);
    this.routes = withGateways(layout.routes, waysOf(this.requests));
    const resultOf = (addressTextOf: AddressTextOf): AnyResult => {
      const addresses = this.requests.map((request, index) => addressTextOf(index, request));
      const result = chainResult(layout, bridge, config.ifName, addresses, { ...nameSlots, netns });
      return convertResult(result, network.list.cniVersion);
    };
    const key = keyOf(runtime, nameSlots.containerId);
    const result = resultOf(addressSlots);
    const record: CacheRecord = { ...key, ...conf, config: network.list.text, result };
    this.#record = Template.of(formatRecord(record), placeholderOf);
    const facts = { ...key, vmId: nameSlots.vmId, backend: 'native', netnsPath: netns } as const;
    const sample = networkConfig(facts, resultOf(samples), network.mtu);
    if (sample === null) throw incompleteResult(key);
    this.#sample = {
      config: sample,
      result: Template.of(resultText(result), placeholderOf),
      requests: sample.addresses.map(({ ip }) => sampled(ip)),
      first: sampled(sample.guestIp),
    };
  }

  /** Text in pieces, with what stands for addresses and gateways between them. */
  recordText(names: AttachmentNames): AttachInterface['record']['text'] {
    return this.#record.pieces((each) => (isName(each) ? names[each.nameOf] : each));
  }

  /** The same of an attachment that has no VM yet: its names stand for themselves, too. */
  recordTextOf(link: LinkNames): SlotPlan['record']['text'] {
    return this.#record.pieces((each) => (isName(each) && !isVmName(each) ? link[each.nameOf] : each));
  }

  configOf(names: AttachmentNames, reserved: readonly ReservedAddress[], origin: Origin): NetworkConfig {
    return configOf(this.#sample, names, reserved, origin);
  }
}
