import { type Address, type Cidr, contains, formatAddress, parseAddress, parseCidr } from '../../address.ts';
import { currentResult } from '../../cni/convert.ts';
import type { AnyResult, AttachmentKey } from '../../cni/types.ts';
import type { GuardedPort } from '../../native/attachment.ts';
import type { NativeBinding } from '../../native/binding.ts';
import { atStep } from '../../native/kernel-error.ts';
import { hostEnd, isRandomName, ownLink } from '../host/host-link.ts';
import { addressStoreOf } from '../network/addresses.ts';
import type { Network } from '../network/network.ts';
import { recordedAddresses } from './network-config.ts';

/** Anti-spoofing: what the guest behind a link of the host may say it is. Whatever else comes from there is dropped. */

export type GuardBinding = Pick<NativeBinding, 'guardAdd' | 'guardRemove'>;
export type GuardListBinding = GuardBinding & Pick<NativeBinding, 'guardList'>;

interface Sweep {
  readonly binding: GuardListBinding & Pick<NativeBinding, 'dump' | 'fileList'>;
  readonly network: Pick<Network, 'firewall' | 'list'>;
}

const linkLocal = 0xfe80n << 112n;

/** RFC 4291, appendix A: with the bit flipped that says who administers it. */
function linkLocalAddress(mac: string): Address {
  const bytes = mac.split(':').map((pair) => BigInt(Number.parseInt(pair, 16)));
  const [first = 0n, second = 0n, third = 0n, ...rest] = bytes;
  const identifier = [first ^ 2n, second, third, 0xffn, 0xfen, ...rest];
  const value = identifier.reduce((folded, byte) => (folded << 8n) | byte, 0n);
  return { family: 6, value: linkLocal | value };
}

/**
 * Besides the addresses that it gets: a guest that speaks IPv6 has its link-local address, and asks from the unspecified
 * one whether anybody else has either.
 */
export function ownAddresses(mac: string, speaksIpv6: boolean): readonly string[] {
  return speaksIpv6 ? [formatAddress(linkLocalAddress(mac)), '::'] : [];
}

/** `null` where the result has no link on the host, no MAC or no address. */
export function guardedPort({ ifName }: AttachmentKey, result: AnyResult): GuardedPort | null {
  const link = hostEnd(result);
  const { interfaces } = currentResult(result);
  const mac = interfaces.find(({ name, sandbox }) => name === ifName && sandbox !== '')?.mac.toLowerCase();
  const ips = recordedAddresses({ result }) ?? [];
  if (link === null || mac === undefined || mac === '' || ips.length === 0) return null;
  const all = [
    ...ips,
    ...ownAddresses(
      mac,
      ips.some((ip) => ip.includes(':')),
    ),
  ];
  const routed = ownLink(result) !== null;
  return { link: link.name, bindings: all.map((ip) => ({ mac, ip })), ...(routed ? { routed } : {}) };
}

/** Whether all that is wanted is there. */
export function isGuarded({ link, bindings }: GuardedPort, guarded: readonly GuardedPort[]): boolean {
  const present = guarded.find((port) => port.link === link)?.bindings ?? [];
  return bindings.every(({ mac, ip }) => present.some((each) => each.mac === mac && each.ip === ip));
}

export async function guard(binding: GuardBinding, port: GuardedPort): Promise<void> {
  await atStep('guard', () => binding.guardAdd(port), 'ERR_FIREWALL');
}

/** Absent is fine. */
export async function unguard(binding: GuardBinding, port: GuardedPort | null): Promise<void> {
  if (port !== null) await atStep('guard', () => binding.guardRemove(port), 'ERR_FIREWALL');
}

async function guardedWithoutLink(binding: Sweep['binding']): Promise<readonly GuardedPort[]> {
  const guarded = await binding.guardList({});
  // After that: what is being set up meanwhile is not taken for what has gone.
  const { links } = await binding.dump({ kinds: ['links'] });
  const present = new Set(links.map(({ name }) => name));
  return guarded.filter(({ link }) => !present.has(link));
}

function isIn(subnets: readonly Cidr[], ip: string): boolean {
  const address = parseAddress(ip);
  return address !== null && subnets.some((subnet) => contains(subnet, address));
}

/**
 * What is left of links that went without a teardown. A set-up that is under way is never taken for that, whosever it is: a
 * chain's has its link before it is guarded, so that what has none is left by the dead, also of networks without subnets,
 * where the plugin has drawn its name by lot. A native one, like a slot, has its addresses before and until after, so that
 * of the network's subnets, what nobody has an address of is left by the dead. What somebody has goes with him; `alone`: at
 * once, as whoever holds the network's lock alone meets no set-up. A name never comes again.
 */
export async function unguardMissing(sweep: Sweep, { alone } = { alone: false }): Promise<void> {
  const { binding, network } = sweep;
  const subnets = network.firewall.subnets.map(parseCidr).filter((subnet) => subnet !== null);
  const directory = alone ? null : addressStoreOf(network);
  await atStep('guard', async () => {
    const missing = await guardedWithoutLink(binding);
    if (missing.length === 0) return;
    const reserved = new Set(directory === null ? [] : await binding.fileList({ directory }));
    for (const port of missing) {
      const isOurs = port.bindings.some(({ ip }) => isIn(subnets, ip));
      const isReserved = port.bindings.some(({ ip }) => reserved.has(ip));
      if (!isReserved && (isOurs || isRandomName(port.link))) await binding.guardRemove(port);
    }
  });
}

/** Whatever is guarded at the link. */
export async function unguardLink(binding: GuardListBinding, link: string): Promise<void> {
  await atStep('guard', async () => {
    for (const port of await binding.guardList({})) if (port.link === link) await binding.guardRemove(port);
  });
}
