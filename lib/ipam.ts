import {
  type Address,
  type Cidr,
  formatAddress,
  formatCidr,
  hostRange,
  inRange,
  isNetwork,
  parseAddress,
  parseCidr,
} from './address.ts';
import { NetworkError } from './errors.ts';
import type { AddressRange, AddressRequest } from './native/attachment.ts';

/** Which addresses guests may get, in host-local's words: sets of ranges, and an address out of each set. */

/** A range as a configuration describes it. */
export interface RangeDescription {
  readonly subnet: string;
  /** Default: the first host address of the subnet. */
  readonly rangeStart?: string | undefined;
  /** Default: the last. */
  readonly rangeEnd?: string | undefined;
  /** Default: the first host address of the subnet. */
  readonly gateway?: string | undefined;
}

/** What one address of a VM is taken from. */
export interface RangeSet {
  /** Its place in the configuration, which names the file of the address that was given last. */
  readonly index: number;
  readonly ranges: readonly AddressRange[];
}

function invalid(source: string, problem: string): NetworkError {
  return new NetworkError('ERR_CONFLIST_INVALID', `${source}: ${problem}`, { path: source });
}

function subnetOf(text: string, source: string): { readonly cidr: Cidr; readonly hosts: RangeBounds } {
  const cidr = parseCidr(text);
  if (cidr === null) throw invalid(source, `subnet "${text}" is not CIDR`);
  if (!isNetwork(cidr)) throw invalid(source, `subnet "${text}" has host bits set`);
  const hosts = hostRange(cidr);
  if (hosts === null) throw invalid(source, `subnet "${text}" has no room for a gateway and a guest`);
  return { cidr, hosts };
}

interface RangeBounds {
  readonly first: Address;
  readonly last: Address;
}

/** Network and broadcast addresses are never a guest's, even where a configuration begins or ends with them. */
function rangeOf(description: RangeDescription, source: string): AddressRange {
  const { subnet, rangeStart, rangeEnd, gateway } = description;
  const { cidr, hosts } = subnetOf(subnet, source);
  const host = (key: string, text: string | undefined, otherwise: Address): Address => {
    if (text === undefined) return otherwise;
    const address = parseAddress(text);
    if (address !== null && inRange(hosts, address)) return address;
    throw invalid(source, `${key} ${text} is not among the host addresses of ${formatCidr(cidr)}`);
  };
  const [start, end] = [host('rangeStart', rangeStart, hosts.first), host('rangeEnd', rangeEnd, hosts.last)];
  if (start.value > end.value)
    throw invalid(source, `rangeStart ${rangeStart} comes after rangeEnd ${rangeEnd}`);
  return {
    ...{ start: formatAddress(start), end: formatAddress(end), prefixLength: cidr.prefixLength },
    gateway: formatAddress(host('gateway', gateway, hosts.first)),
  };
}

function boundsOf({ start, end }: AddressRange): RangeBounds {
  const [first, last] = [parseAddress(start), parseAddress(end)];
  if (first === null || last === null) throw new TypeError(`${start}-${end} is no range of addresses`);
  return { first, last };
}

function overlap(one: RangeBounds, other: RangeBounds): boolean {
  return inRange(one, other.first) || inRange(other, one.first);
}

function assertDisjoint(sets: readonly RangeSet[], source: string): void {
  const all = sets.flatMap(({ ranges }) => ranges);
  for (const [index, range] of all.entries()) {
    const other = all.slice(0, index).find((before) => overlap(boundsOf(before), boundsOf(range)));
    if (other === undefined) continue;
    throw invalid(source, `ranges ${other.start}-${other.end} and ${range.start}-${range.end} overlap`);
  }
}

function assertOneFamily({ ranges }: RangeSet, source: string): void {
  const families = new Set(ranges.map((range) => boundsOf(range).first.family));
  if (families.size > 1) throw invalid(source, 'a set of ranges mixes IPv4 and IPv6');
}

/** `source` names the configuration in messages. */
export function rangeSets(
  descriptions: readonly (readonly RangeDescription[])[],
  source: string,
): readonly RangeSet[] {
  const sets = descriptions.map((ranges, index) => ({
    index,
    ranges: ranges.map((range) => rangeOf(range, source)),
  }));
  if (sets.length === 0 || sets.some(({ ranges }) => ranges.length === 0)) {
    throw invalid(source, 'its address plugin has no ranges');
  }
  for (const set of sets) assertOneFamily(set, source);
  assertDisjoint(sets, source);
  return sets;
}

/** That a guest's address is of. */
export function setOf(sets: readonly RangeSet[], ip: string): RangeSet | undefined {
  return sets.find(({ ranges }) => ranges.some((range) => isIn(range, ip)));
}

/** One address out of each set: those that are wished for, else the next free one. */
export function addressRequests(
  sets: readonly RangeSet[],
  wishes: readonly string[],
): readonly AddressRequest[] {
  const left = new Set(wishes);
  const requests = sets.map(({ index: set, ranges }) => {
    const wish = [...left].find((text) => ranges.some((range) => isIn(range, text)));
    if (wish === undefined) return { set, ranges, excluded: [] };
    left.delete(wish);
    return { set, ranges, excluded: [], address: wish };
  });
  const [first] = left;
  if (first === undefined) return requests;
  throw new NetworkError('ERR_OPTION_INVALID', `address ${first} is none that the network has for a guest`, {
    step: 'arguments',
  });
}

function isIn(range: AddressRange, text: string): boolean {
  const address = parseAddress(text);
  return address !== null && inRange(boundsOf(range), address) && formatAddress(address) !== range.gateway;
}
