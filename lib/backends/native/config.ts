import type { Template } from '../../cni/template.ts';
import type { JsonObject } from '../../cni/types.ts';
import type { ReservedAddress } from '../../native/attachment.ts';
import type { NetworkAddress, NetworkConfig, Origin } from '../../types.ts';
import { type AttachmentNames, addressText, isName, type Placeholder } from './placeholders.ts';

/** The configuration that users get: each an object of its own, with its `result` composed when somebody looks at it. */

/** What all configurations of a network have, and where what is a VM's own goes. */
export interface SampleConfig {
  readonly config: NetworkConfig;
  readonly result: Template<Placeholder>;
  /** Of each of its addresses, the request that it is of. */
  readonly requests: readonly number[];
  /** The one whose address the guest goes by. */
  readonly first: number;
}

class LazyResult {
  readonly #template: Template<Placeholder>;
  readonly #names: AttachmentNames;
  readonly #reserved: readonly ReservedAddress[];
  #value: JsonObject | null = null;

  constructor(template: Template<Placeholder>, names: AttachmentNames, reserved: readonly ReservedAddress[]) {
    this.#template = template;
    this.#names = names;
    this.#reserved = reserved;
  }

  get value(): JsonObject {
    this.#value ??= JSON.parse(this.#text()) as JsonObject;
    return this.#value;
  }

  #text(): string {
    return this.#template.text((each) =>
      isName(each) ? this.#names[each.nameOf] : addressText(each, this.#reserved),
    );
  }
}

/** Whoever copies, prints or compares a configuration sees its `result` alone. */
const lazyResult = Symbol('result');

/** One getter for all: objects with one each are kept as hash tables, at three times the size. */
const result: PropertyDescriptor & ThisType<{ readonly [lazyResult]: LazyResult }> = {
  ...{ configurable: true, enumerable: true },
  get() {
    return this[lazyResult].value;
  },
};

function addressOf(
  { family }: NetworkAddress,
  { ip, prefixLength, gateway }: ReservedAddress,
): NetworkAddress {
  return { family, ip, prefixLength, gateway };
}

export function configOf(
  sample: SampleConfig,
  names: AttachmentNames,
  reserved: readonly ReservedAddress[],
  origin: Origin,
): NetworkConfig {
  const { network, backend, ifName, mtu, addresses, dns, routes } = sample.config;
  const at = (request = 0) => reserved[request] as ReservedAddress;
  const first = at(sample.first);
  const config: Omit<NetworkConfig, 'result'> = {
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
    addresses: addresses.map((each, index) => addressOf(each, at(sample.requests[index]))),
    guestIp: first.ip,
    gatewayIp: first.gateway,
    prefixLength: first.prefixLength,
    routes: routes.map(({ destination, gateway }) => ({ destination, gateway })),
    dns: {
      nameservers: dns.nameservers.slice(),
      domain: dns.domain,
      search: dns.search.slice(),
      options: dns.options.slice(),
    },
  };
  Object.defineProperty(config, lazyResult, { value: new LazyResult(sample.result, names, reserved) });
  return Object.defineProperty(config, 'result', result) as NetworkConfig;
}
