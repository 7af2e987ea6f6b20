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

/** From a port to the same port; with six zeros in it, and no numbers. */
export function tcpFrame(
  mac: string,
  source: string,
  destination: string,
  port: number,
  flags: number,
): Buffer {
  const segment = Buffer.alloc(26);
  for (const offset of [0, 2]) segment.writeUInt16BE(port, offset);
  segment.set([0x50, flags], 12);
  const pseudoHeader = Buffer.concat([ipBytes(source), ipBytes(destination), Buffer.from([0, 6, 0, 26])]);
  segment.writeUInt16BE(checksum(Buffer.concat([pseudoHeader, segment])), 16);
  return frame(mac, 'ipv4', ipv4Header(6, source, destination), segment);
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

/** Asks who listens to which groups, as routers do. */
export function igmpQueryFrame(sourceMac: string, source: string): Buffer {
  const query = Buffer.concat([Buffer.from([0x11, 100, 0, 0]), Buffer.alloc(22)]);
  query.writeUInt16BE(checksum(query), 2);
  return frame(sourceMac, 'ipv4', ipv4Header(2, source, '224.0.0.1'), query);
}

export interface Ipv6Packet {
  readonly mac: string;
  readonly source: string;
  readonly protocol: number;
  readonly payload: Buffer;
}

const everyNode = 'ff02::1';

export function ipv6PacketFrame({ mac, source, protocol, payload }: Ipv6Packet): Buffer {
  const header = Buffer.from([0x60, 0, 0, 0, 0, payload.length, protocol, 255]);
  return frame(mac, 'ipv6', header, ipBytes(source), ipBytes(everyNode), payload);
}

export const ipv6Frame = (mac: string, source: string): Buffer =>
  ipv6PacketFrame({ mac, source, protocol: 253, payload: Buffer.alloc(6) });

/** What checksum a payload has with the addresses that it goes by. */
function ipv6Checksum({ source, protocol, payload }: Ipv6Packet): number {
  const lengthAndProtocol = Buffer.from([0, 0, 0, payload.length, 0, 0, 0, protocol]);
  return checksum(Buffer.concat([ipBytes(source), ipBytes(everyNode), lengthAndProtocol, payload]));
}

/** What follows the message's checksum. */
export function icmp6(mac: string, source: string, type: number, body: Buffer): Ipv6Packet {
  const packet = { mac, source, protocol: 58, payload: Buffer.concat([Buffer.from([type, 0, 0, 0]), body]) };
  packet.payload.writeUInt16BE(ipv6Checksum(packet), 2);
  return packet;
}

/** A message about a neighbour, and the MAC that it says it has: of the asking one (135), or of the target (136). */
export function neighbour(
  mac: string,
  source: string,
  about: { readonly type: 135 | 136; readonly target: string; readonly mac?: string },
): Ipv6Packet {
  const option = about.mac ? [Buffer.from([about.type === 135 ? 1 : 2, 1]), macBytes(about.mac)] : [];
  return icmp6(mac, source, about.type, Buffer.concat([Buffer.alloc(4), ipBytes(about.target), ...option]));
}

/** From a port to the next one. */
export function udp6(mac: string, source: string, port: number): Ipv6Packet {
  const packet = { mac, source, protocol: 17, payload: Buffer.from([0, 0, 0, 0, 0, 8, 0, 0]) };
  for (const [index, value] of [port, port - 1].entries()) packet.payload.writeUInt16BE(value, 2 * index);
  packet.payload.writeUInt16BE(ipv6Checksum(packet), 6);
  return packet;
}

/** Options of no meaning before what the packet is. */
export const behindOptions = ({ protocol, payload, ...from }: Ipv6Packet): Ipv6Packet => ({
  ...from,
  protocol: 60,
  payload: Buffer.concat([Buffer.from([protocol, 0, 1, 4, 0, 0, 0, 0]), payload]),
});

/** Its first bytes, and the rest. */
export function inFragments({ protocol, payload, ...from }: Ipv6Packet, bytes = 8): readonly Ipv6Packet[] {
  return [0, bytes].map((offset) => ({
    ...from,
    protocol: 44,
    payload: Buffer.concat([
      Buffer.from([protocol, 0, 0, offset || 1, 0, 0, 0, payload[2] ?? 0]),
      offset === 0 ? payload.subarray(0, bytes) : payload.subarray(bytes),
    ]),
  }));
}
