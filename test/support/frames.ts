import { parseAddress } from '../../lib/address.ts';

/** Ethernet frames, byte by byte, as nobody's network stack would send them. All go to everybody, unless {@link sentTo} somebody. */

const everybody = 'ff:ff:ff:ff:ff:ff';
/** Shorter ones are padded on the way. */
const shortestFrame = 60;

const etherType = { ipv4: 0x0800, arp: 0x0806, ipv6: 0x86dd } as const;

const macBytes = (mac: string) => Buffer.from(mac.replaceAll(':', ''), 'hex');

function ipBytes(text: string): Buffer {
  const address = parseAddress(text);
  if (address === null) throw new TypeError(`${text} is no address`);
  return Buffer.from(address.value.toString(16).padStart(address.family === 4 ? 8 : 32, '0'), 'hex');
}

function frame(sourceMac: string, type: keyof typeof etherType, ...content: readonly Buffer[]): Buffer {
  const header = Buffer.alloc(14);
  macBytes(everybody).copy(header);
  macBytes(sourceMac).copy(header, 6);
  header.writeUInt16BE(etherType[type], 12);
  const bytes = Buffer.concat([header, ...content]);
  return Buffer.concat([bytes, Buffer.alloc(Math.max(0, shortestFrame - bytes.length))]);
}

/** RFC 1071; a bridge may drop packets that lack it. */
function checksum(bytes: Buffer): number {
  let sum = 0;
  for (let offset = 0; offset < bytes.length; offset += 2) sum += bytes.readUInt16BE(offset);
  return ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
}

function ipv4Header(protocol: number, source: string, destination: string): Buffer {
  const start = Buffer.from([0x45, 0, 0, 46, 0, 0, 0, 0, 64, protocol, 0, 0]);
  const header = Buffer.concat([start, ipBytes(source), ipBytes(destination)]);
  header.writeUInt16BE(checksum(header), 10);
  return header;
}

/** An IPv4 packet of a protocol for experiments. */
export function ipv4Frame(sourceMac: string, source: string): Buffer {
  return frame(sourceMac, 'ipv4', ipv4Header(253, source, '255.255.255.255'));
}

/** From a port to the same port; with zeros in it, and no checksum. */
export function udpFrame(sourceMac: string, source: string, destination: string, port: number): Buffer {
  const header = Buffer.alloc(8);
  for (const [offset, value] of [port, port, 26].entries()) header.writeUInt16BE(value, 2 * offset);
  return frame(sourceMac, 'ipv4', ipv4Header(17, source, destination), header);
}

/** The same frame, to somebody. */
export function sentTo(mac: string, frame: Buffer): Buffer {
  return Buffer.concat([macBytes(mac), frame.subarray(6)]);
}

/** An ARP packet that claims an address for a MAC. */
export function arpFrame(sourceMac: string, claim: { readonly mac: string; readonly ip: string }): Buffer {
  const header = Buffer.from([0, 1, 8, 0, 6, 4, 0, 2]);
  const sender = [macBytes(claim.mac), ipBytes(claim.ip)];
  return frame(sourceMac, 'arp', header, ...sender, macBytes(everybody), ipBytes(claim.ip));
}

export function ipv6Frame(sourceMac: string, source: string): Buffer {
  const header = Buffer.from([0x60, 0, 0, 0, 0, 6, 253, 64]);
  return frame(sourceMac, 'ipv6', header, ipBytes(source), ipBytes('ff02::1'), Buffer.alloc(6));
}

export function solicitationFrame(sourceMac: string, source: string, target: string): Buffer {
  const header = Buffer.from([0x60, 0, 0, 0, 0, 24, 58, 255]);
  const addresses = Buffer.concat([ipBytes(source), ipBytes('ff02::1')]);
  const solicitation = Buffer.concat([Buffer.from([135, 0, 0, 0, 0, 0, 0, 0]), ipBytes(target)]);
  const pseudoHeader = Buffer.concat([addresses, Buffer.from([0, 0, 0, 24, 0, 0, 0, 58])]);
  solicitation.writeUInt16BE(checksum(Buffer.concat([pseudoHeader, solicitation])), 2);
  return frame(sourceMac, 'ipv6', header, addresses, solicitation);
}
