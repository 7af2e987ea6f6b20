import type { Template } from '../cni/template.ts';
import type { JsonObject } from '../cni/types.ts';
import type { ReservedAddress } from '../native/attachment.ts';
import type { NetworkAddress, NetworkConfig, Origin } from '../types.ts';
import { type AttachmentNames, addressText, isName, type Placeholder } from './native-placeholders.ts';

/** The configuration that users get: each an object of its own, with its `result` composed when somebody looks at it. */

/** A network's, with an address for each request that says which one it is. */
export interface SampleConfig {
  readonly config: NetworkConfig;
  readonly result: Template<Placeholder>;
  /** Which of the reserved addresses stands at that place of the sample. */
  indexOf(ip: string): number;
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
  const { network, backend, ifName, mtu, addresses, dns, routes, guestIp } = sample.config;
  const at = (ip: string) => reserved[sample.indexOf(ip)] as ReservedAddress;
  const first = at(guestIp);
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
    addresses: addresses.map((each) => addressOf(each, at(each.ip))),
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
