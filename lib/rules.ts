import {
  type Address,
  type AddressRange,
  type Cidr,
  contains,
  type Family,
  formatAddress,
  formatCidr,
  hostRange,
  inRange,
  isNetwork,
  parseAddress,
  parseCidr,
  subnetRange,
} from './address.ts';

/** Which names and addresses the kernel, CNI and this library accept. Each rule says what is wrong, or `null`. */
export type Rule<T = string> = (value: T) => string | null;

const vmIdPattern = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
const cniNamePattern = /^[A-Za-z0-9][A-Za-z0-9_.-]*$/;
const macPattern = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/i;

/** IFNAMSIZ without its NUL. */
const maxLinkNameBytes = 15;
/** A record's file name holds a network, a containerId and an interface; file names end at 255 bytes. */
const maxCniNameLength = 100;

export const vmIdRule: Rule = (vmId) => (vmIdPattern.test(vmId) ? null : `must match ${vmIdPattern.source}`);

/** For networks and containerIds. */
export const cniNameRule: Rule = (name) => {
  if (name.length > maxCniNameLength) return `is longer than ${maxCniNameLength} characters`;
  return cniNamePattern.test(name) ? null : `must match ${cniNamePattern.source}`;
};

export const linkNameRule: Rule = (name) => {
  if (name === '') return 'is empty';
  if (Buffer.byteLength(name) > maxLinkNameBytes) return `is longer than ${maxLinkNameBytes} bytes`;
  if (name === '.' || name === '..') return 'is a directory';
  if (name === 'all' || name === 'default') return 'is what the kernel calls the settings of all links';
  // In place of a "%d" the kernel would put a number of its own choice.
  return /[/:%\0\p{White_Space}]/u.test(name) ? 'has "/", ":", "%" or white space' : null;
};

export const macRule: Rule = (mac) => {
  if (!macPattern.test(mac)) return 'is not six hexadecimal pairs';
  if (Number.parseInt(mac.slice(0, 2), 16) % 2 === 1) return 'is a multicast address';
  return /^[0:]+$/.test(mac) ? 'is all zero' : null;
};

export const ipRule: Rule = (text) => (parseAddress(text) === null ? 'is no IP address' : null);

/** What guests are told, in files with a line for each thing. */
export const dnsTextRule: Rule = (text) => (/\p{Cc}/u.test(text) ? 'has a control character' : null);

/** A field of the kernel's `ip=`, which colons end, in a command line, which spaces divide and quotes join. */
export const bootFieldRule: Rule = (text) =>
  /[:"\p{White_Space}\p{Cc}]/u.test(text) ? 'has ":", quotes, white space or a control character' : null;

/** An absolute path. */
export const pathRule: Rule = (text) =>
  text.startsWith('/') && !text.includes('\0') ? null : 'is no absolute path';

/** A route's destination or a subnet: CIDR without host bits. */
export const subnetRule: Rule = (text) => {
  const cidr = parseCidr(text);
  if (cidr === null) return 'is not CIDR (10.168.0.0/24)';
  if (isNetwork(cidr)) return null;
  return `has host bits set: did you mean ${formatCidr(networkOf(cidr))}?`;
};

const linkLocal = ['169.254.0.0/16', 'fe80::/10'].map(parseCidr).filter((cidr) => cidr !== null);

/** Where guests are: the firewall drops what goes to IPv4's link-local addresses, unless they are allowed, and nobody routes IPv6's. */
export const linkLocalRule =
  (isAllowed: boolean): Rule =>
  (text) => {
    const subnet = parseCidr(text);
    if (subnet === null || (isAllowed && subnet.address.family === 4)) return null;
    const shared = linkLocal.find((each) => contains(each, subnet.address) || contains(subnet, each.address));
    if (shared === undefined) return null;
    const remedy = shared.address.family === 4 ? 'set allowLinkLocal, or take another' : 'take another';
    return `has addresses of ${formatCidr(shared)}, which guests don't reach: ${remedy}`;
  };

export const subnetSizeRule: Rule = (text) => {
  const cidr = parseCidr(text);
  return cidr !== null && hostRange(cidr) === null ? 'has no room for a gateway and a guest' : null;
};

export const gatewayRule =
  (subnet: Cidr): Rule =>
  (text) => {
    const gateway = parseAddress(text);
    const hosts = hostRange(subnet);
    if (gateway !== null && hosts !== null && inRange(hosts, gateway)) return null;
    return `is not among the host addresses of ${formatCidr(subnet)}${hosts === null ? '' : ` (${formatRange(hosts)})`}`;
  };

/** Ranges begin before they end, and share no address; all of it among those that hosts may have, and not the gateway's alone. */
export const rangesRule =
  (
    hosts: AddressRange,
    gateway: Address,
  ): Rule<readonly { readonly start: string; readonly end: string }[]> =>
  (ranges) => {
    const parsed: AddressRange[] = [];
    for (const { start, end } of ranges) {
      const [first, last] = [parseAddress(start), parseAddress(end)];
      const isInside = first !== null && last !== null && inRange(hosts, first) && inRange(hosts, last);
      if (!isInside) return `have ${start} to ${end}, which is not inside of ${formatRange(hosts)}`;
      if (first.value > last.value) return `have ${start} to ${end}, which ends before it begins`;
      const range = { first, last };
      const other = parsed.find((before) => inRange(before, first) || inRange(range, before.first));
      if (other !== undefined) return `overlap: ${formatRange(other)}, and ${start} to ${end}`;
      parsed.push(range);
    }
    const [only] = parsed.length === 1 ? parsed : [];
    const isGateway = ({ value }: Address) => value === gateway.value;
    if (only !== undefined && isGateway(only.first) && isGateway(only.last))
      return `have the gateway ${formatAddress(gateway)} alone, and no address for a guest`;
    return null;
  };

/** Guests of a network have addresses of one family. */
export const routesRule =
  (family: Family): Rule<readonly { readonly destination: string; readonly gateway: string | null }[]> =>
  (routes) => {
    for (const { destination, gateway } of routes) {
      const via = gateway === null ? family : parseAddress(gateway)?.family;
      if (parseCidr(destination)?.address.family === family && via === family) continue;
      const route = gateway === null ? destination : `${destination} by ${gateway}`;
      return `have ${route}, and the network is of IPv${family} alone`;
    }
    return null;
  };

function networkOf(cidr: Cidr): Cidr {
  return { ...cidr, address: subnetRange(cidr).first };
}

function formatRange({ first, last }: AddressRange): string {
  return `${formatAddress(first)} to ${formatAddress(last)}`;
}
