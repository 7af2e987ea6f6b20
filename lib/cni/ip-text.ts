import { isIPv4, isIPv6 } from 'node:net';

/** Addresses as Go's net package reads and prints them: that is how plugins and records spell them. */

/** `::ffff:a00:1`, as URLs spell an IPv4 address that is mapped into IPv6. */
const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/;

function unmap(ip: string): string {
  const halves = mapped
    .exec(ip)
    ?.slice(1)
    .map((half) => Number.parseInt(half, 16));
  return halves === undefined ? ip : halves.flatMap((half) => [half >> 8, half & 0xff]).join('.');
}

/** RFC 5952, IPv4-mapped addresses in dotted form; `null` for what is no address or has a zone. */
export function canonicalIp(text: string): string | null {
  if (isIPv4(text)) return text;
  if (!isIPv6(text) || text.includes('%')) return null;
  return unmap(new URL(`http://[${text}]`).hostname.slice(1, -1));
}

/** Host bits are kept. `null` for what is not CIDR. */
export function canonicalCidr(text: string): string | null {
  const [, address = '', length = ''] = /^([^/]*)\/([0-9]{1,3})$/.exec(text) ?? [];
  const ip = canonicalIp(address);
  const bits = isIPv4(address) ? 32 : 128;
  if (ip === null || Number(length) > bits) return null;
  const prefixLength = bits === 128 && isIPv4(ip) ? Math.max(0, Number(length) - 96) : Number(length);
  return `${ip}/${prefixLength}`;
}

export function isIpv6Text(ipOrCidr: string): boolean {
  return ipOrCidr.includes(':');
}
