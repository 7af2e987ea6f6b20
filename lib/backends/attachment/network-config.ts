import { formatAddress, parseCidr } from '../../address.ts';
import { currentResult } from '../../cni/convert.ts';
import { resultObject } from '../../cni/result.ts';
import type { AnyResult, AttachmentKey, CacheRecord, Interface, IpConfig, Result } from '../../cni/types.ts';
import { NetworkError } from '../../errors.ts';
import type { BackendName, NetworkAddress, NetworkConfig, Origin } from '../../types.ts';
import { hostEnd, slotMac } from '../host/host-link.ts';

/** A CNI result of a chain that ends in tc-redirect-tap, as the public {@link NetworkConfig}. */

/** What of an attachment the result itself does not say. */
export interface AttachmentFacts extends AttachmentKey {
  readonly vmId: string;
  readonly backend: BackendName;
  readonly netnsPath: string;
}

/** The guest's side: tc-redirect-tap lists the TAP twice, in the namespace and in the VM. */
interface GuestSide {
  readonly tapName: string;
  readonly mac: string;
  readonly ips: readonly IpConfig[];
}

function ipsOf(result: Result, wanted: (value: Interface) => boolean): readonly IpConfig[] {
  return result.ips.filter(({ interface: index }) => {
    const owner = index === null ? undefined : result.interfaces[index];
    return owner !== undefined && wanted(owner);
  });
}

/** `null` where the result has no TAP or no address. */
function guestSide(result: Result, { containerId, ifName }: AttachmentKey): GuestSide | null {
  const guest = result.interfaces.find(({ sandbox }) => sandbox === containerId);
  if (guest === undefined) return null;
  const ips = ipsOf(result, (owner) => owner === guest);
  const { name: tapName } = guest;
  const mac = guest.mac || (result.interfaces.find(({ name }) => name === ifName)?.mac ?? '');
  return ips.length === 0 || mac === '' ? null : { tapName, mac: mac.toLowerCase(), ips };
}

function networkAddress({ address, gateway }: IpConfig): readonly NetworkAddress[] {
  const cidr = parseCidr(address);
  if (cidr === null) return [];
  const { family } = cidr.address;
  return [{ family, ip: formatAddress(cidr.address), prefixLength: cidr.prefixLength, gateway }];
}

/** What the address plugin gave, without prefix; `null` where there is no result to know it from. */
export function recordedAddresses({ result }: Pick<CacheRecord, 'result'>): readonly string[] | null {
  if (result === null) return null;
  const ips = currentResult(result).ips.flatMap((ip) => networkAddress(ip).map((address) => address.ip));
  return [...new Set(ips)];
}

/** The link inside the namespace whose MTU the guest should have; `null` where the result names no TAP. */
export function tapNameOf(result: AnyResult, key: AttachmentKey): string | null {
  return guestSide(currentResult(result), key)?.tapName ?? null;
}

/** Whether the record's attachment was a slot. */
export function wasSlot(record: AttachmentKey & Pick<CacheRecord, 'result'>): boolean {
  const guest = record.result === null ? null : guestSide(currentResult(record.result), record);
  return record.result !== null && guest !== null && originOf(record.result, guest) === 'warm';
}

/** A slot's MAC follows from its link's name. */
function originOf(result: AnyResult, { mac }: GuestSide): Origin {
  const link = hostEnd(result);
  return link !== null && slotMac(link.name) === mac ? 'warm' : 'cold';
}

/** `null` where the result names no TAP device or no address. */
export function networkConfig(
  facts: AttachmentFacts,
  anyResult: AnyResult,
  mtu: number,
): NetworkConfig | null {
  const result = currentResult(anyResult);
  const guest = guestSide(result, facts);
  const addresses = (guest?.ips ?? []).flatMap(networkAddress);
  const first = addresses.find(({ family }) => family === 4) ?? addresses[0];
  if (guest === null || first === undefined) return null;
  const { vmId, network, backend, containerId, ifName, netnsPath } = facts;
  const { nameservers, domain, search, options } = result.dns;
  return {
    ...{ vmId, network, backend, containerId, ifName, netnsPath, mtu, addresses },
    origin: originOf(anyResult, guest),
    ...{ tapName: guest.tapName, mac: guest.mac },
    ...{ guestIp: first.ip, gatewayIp: first.gateway, prefixLength: first.prefixLength },
    routes: result.routes.map(({ dst, gw }) => ({ destination: dst, gateway: gw })),
    dns: { nameservers, domain: domain === '' ? null : domain, search, options },
    result: resultObject(anyResult),
  };
}

export function incompleteResult({ containerId, network }: AttachmentKey): NetworkError {
  const message = `the result of network ${network} has no TAP device with an address for ${containerId}`;
  return new NetworkError('ERR_RESULT_INCOMPLETE', message, { step: 'result', network });
}
