import { isIPv4, isIPv6 } from 'node:net';

export type Family = 4 | 6;

/** An IPv4 or IPv6 address as a number. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** An address and the length of its prefix; host bits may be set. */
export interface Cidr {
  readonly address: Address;
  readonly prefixLength: number;
}

/** Both ends belong to it. */
export interface AddressRange {
  readonly first: Address;
  readonly last: Address;
}

/** How many bits an address of the family has. */
export function bitsOf(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

function fold(parts: readonly number[], bits: bigint): bigint {
  return parts.reduce((value, part) => (value << bits) | BigInt(part), 0n);
}

function unfold(value: bigint, count: number, bits: bigint): number[] {
  const mask = (1n << bits) - 1n;
  return Array.from({ length: count }, (_, index) =>
    Number((value >> (bits * BigInt(count - 1 - index))) & mask),
  );
}

function parseIpv4(text: string): bigint {
  return fold(text.split('.').map(Number), 8n);
}

/** Groups of 16 bits; the last two may be spelled as an IPv4 address. */
function groupsOf(text: string): number[] {
  if (text === '') return [];
  return text
    .split(':')
    .flatMap((group) =>
      group.includes('.') ? unfold(parseIpv4(group), 2, 16n) : [Number.parseInt(group, 16)],
    );
}

function parseIpv6(text: string): bigint {
  const [head = '', tail] = text.split('::');
  const before = groupsOf(head);
  const after = tail === undefined ? [] : groupsOf(tail);
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => 0);
  return fold([...before, ...zeros, ...after], 16n);
}

/** `null` for what is no address; zones (`fe80::1%eth0`) are none. */
export function parseAddress(text: string): Address | null {
  if (isIPv4(text)) return { family: 4, value: parseIpv4(text) };
  if (isIPv6(text) && !text.includes('%')) return { family: 6, value: parseIpv6(text) };
  return null;
}

/** The longest run of at least two zero groups, the first of several: what `::` stands for. */
function longestZeroRun(groups: readonly number[]): { readonly start: number; readonly length: number } {
  let best = { start: 0, length: 1 };
  let start = 0;
  groups.forEach((group, index) => {
    if (group !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  });
  return best;
}

/** RFC 5952; an IPv4-mapped address keeps its last 32 bits in dotted form. */
function formatIpv6(value: bigint): string {
  if (value >> 32n === 0xffffn) return `::ffff:${formatIpv4(value & 0xffffffffn)}`;
  const groups = unfold(value, 8, 16n);
  const run = longestZeroRun(groups);
  const text = (part: readonly number[]) => part.map((group) => group.toString(16)).join(':');
  if (run.length < 2) return text(groups);
  return `${text(groups.slice(0, run.start))}::${text(groups.slice(run.start + run.length))}`;
}

function formatIpv4(value: bigint): string {
  return unfold(value, 4, 8n).join('.');
}

export function formatAddress({ family, value }: Address): string {
  return family === 4 ? formatIpv4(value) : formatIpv6(value);
}

/** `null` for what is not CIDR. */
export function parseCidr(text: string): Cidr | null {
  const [, ip = '', length = ''] = /^([^/]+)\/(0|[1-9][0-9]{0,2})$/.exec(text) ?? [];
  const address = parseAddress(ip);
  const prefixLength = Number(length);
  return address === null || prefixLength > bitsOf(address.family) ? null : { address, prefixLength };
}

export function formatCidr({ address, prefixLength }: Cidr): string {
  return `${formatAddress(address)}/${prefixLength}`;
}

function hostMask({ address, prefixLength }: Cidr): bigint {
  return (1n << BigInt(bitsOf(address.family) - prefixLength)) - 1n;
}

function firstValue(subnet: Cidr): bigint {
  return subnet.address.value & ~hostMask(subnet);
}

function lastValue(subnet: Cidr): bigint {
  return subnet.address.value | hostMask(subnet);
}

/** Whether the address is the network's own: no bit beyond the prefix is set. */
export function isNetwork(subnet: Cidr): boolean {
  return (subnet.address.value & hostMask(subnet)) === 0n;
}

/** All addresses of the subnet, those that no host may have included. */
export function subnetRange(subnet: Cidr): AddressRange {
  const { family } = subnet.address;
  return { first: { family, value: firstValue(subnet) }, last: { family, value: lastValue(subnet) } };
}

/**
 * The addresses that hosts may have: neither the first (IPv4's network, IPv6's anycast of routers) nor IPv4's
 * broadcast. `null` where that leaves no two: one for the gateway, one for a guest.
 */
export function hostRange(subnet: Cidr): AddressRange | null {
  const { family } = subnet.address;
  const first = firstValue(subnet) + 1n;
  const last = lastValue(subnet) - (family === 4 ? 1n : 0n);
  if (bitsOf(family) - subnet.prefixLength < 2) return null;
  return { first: { family, value: first }, last: { family, value: last } };
}

export function inRange({ first, last }: AddressRange, address: Address): boolean {
  return address.family === first.family && first.value <= address.value && address.value <= last.value;
}

export function contains(subnet: Cidr, address: Address): boolean {
  return inRange(subnetRange(subnet), address);
}
