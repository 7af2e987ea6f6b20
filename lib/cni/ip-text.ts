import { type Address, formatAddress, parseAddress, parseCidr } from '../address.ts';

/** Addresses as Go's net package prints them, and so plugins and records spell them: IPv4 that is mapped into IPv6 is IPv4. */

function unmapped(address: Address): Address {
  const isMapped = address.family === 6 && address.value >> 32n === 0xffffn;
  return isMapped ? { family: 4, value: address.value & 0xffffffffn } : address;
}

/** `null` for what is no address or has a zone. */
export function canonicalIp(text: string): string | null {
  const address = parseAddress(text);
  return address === null ? null : formatAddress(unmapped(address));
}

/** Host bits are kept. `null` for what is not CIDR. */
export function canonicalCidr(text: string): string | null {
  const cidr = parseCidr(text);
  if (cidr === null) return null;
  const address = unmapped(cidr.address);
  const unmappedBits = address.family === cidr.address.family ? 0 : 96;
  return `${formatAddress(address)}/${Math.max(0, cidr.prefixLength - unmappedBits)}`;
}

export function isIpv6Text(ipOrCidr: string): boolean {
  return ipOrCidr.includes(':');
}
