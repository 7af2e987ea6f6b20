import { hash, randomUUID } from 'node:crypto';
import { currentResult } from '../../cni/convert.ts';
import type { AnyResult, AttachmentKey, CacheRecord, Interface } from '../../cni/types.ts';
import { NetworkError, withRemedy } from '../../errors.ts';
import type { NativeBinding } from '../../native/binding.ts';
import { atStep, kernelError } from '../../native/kernel-error.ts';
import type { LinkInfo } from '../../native/netlink.ts';

/** The host's end of an attachment: whose it is, and how it is cut. */

export type LinkBinding = Pick<NativeBinding, 'dump' | 'linkSet' | 'linkDelete'>;

/** `IFLA_BRPORT_STATE`. */
export const portDisabled = 0;
/** `IFLA_BRPORT_STATE` of what is no bridge port. */
export const noPort = -1;

const owner = 'vulcan-net';

/** After so long the link of a VM that was a slot says whose it is, unless its pool's process has ended. */
export const labelledWithinMs = 2_000;

export function aliasOf({ network, containerId, ifName }: AttachmentKey): string {
  return `${owner} ${network} ${containerId} ${ifName}`;
}

/**
 * In results of veth plugins the host's end stands just before the end in the sandbox; other links of the host, such as
 * the bridge, or the gateway's port of a VLAN, belong to others as well.
 */
export function hostEnd(result: AnyResult | null): Interface | null {
  const interfaces = result === null ? [] : currentResult(result).interfaces;
  const before = interfaces[interfaces.findIndex(({ sandbox }) => sandbox !== '') - 1];
  return before ?? null;
}

/** The host's end where it is no bridge's port: before one stands its bridge. */
export function ownLink(result: AnyResult): Interface | null {
  const end = hostEnd(result);
  return end !== null && currentResult(result).interfaces[0]?.name === end.name ? end : null;
}

/** Of the result: the bridge of a port that was built natively. */
export function firstInterface({ result }: Pick<CacheRecord, 'result'>): string | null {
  return result === null ? null : (currentResult(result).interfaces[0]?.name ?? null);
}

const nativeName = /^vn[0-9a-f]{13}$/;

/** A name and a MAC of its own for every pair that is made: a link that is going keeps its name for a while. */
export function newHostLink({ network, containerId, ifName }: AttachmentKey): {
  readonly name: string;
  readonly mac: string;
} {
  const digest = hash('sha256', `${network}\0${containerId}\0${ifName}\0${randomUUID()}`);
  return { name: `vn${digest.slice(0, 13)}`, mac: localMac(digest.slice(13)) };
}

/** Locally administered, unicast: of the first five bytes of a digest. */
export function localMac(hex: string): string {
  const pair = (index: number) => hex.slice(2 * index, 2 * index + 2);
  return `02:${pair(0)}:${pair(1)}:${pair(2)}:${pair(3)}:${pair(4)}`;
}

/** A slot's, whichever guest gets it: so a record tells by it that its attachment was a slot. */
export function slotMac(hostLink: string): string {
  return localMac(hash('sha256', `slot\0${hostLink}`));
}

/** Whether it is one that the bridge plugin, and others like it, draw by lot (`RandomVethName` of CNI's `pkg/ip`). */
export const isRandomName = (name: string): boolean => /^veth[0-9a-f]{8}$/.test(name);

/** Whether the attachment was built natively, and by no plugin. */
export function isNative({ result }: CacheRecord): boolean {
  return nativeName.test(hostEnd(result)?.name ?? '');
}

/** The name of the link that the record knows as the host's end. */
export function hostLinkName({ result }: CacheRecord): string | null {
  return hostEnd(result)?.name ?? null;
}

/** The name that the link's setup gave it, where somebody has given it another; `null`: it has it, or is another link. */
export function givenName({ result }: Pick<CacheRecord, 'result'>, { name, mac }: LinkInfo): string | null {
  const end = hostEnd(result);
  return end !== null && end.name !== name && end.mac.toLowerCase() === mac ? end.name : null;
}

/**
 * Writes on the host's end whose it is, so that it can be told from another that has its name later, and makes a port of a
 * bridge one for a guest. `port` has what the bridge plugin was to do: older ones take no notice of what they don't know.
 */
export async function labelHostLink(
  binding: LinkBinding,
  key: AttachmentKey,
  result: AnyResult,
  port: { readonly hairpin: boolean; readonly isolated: boolean } | null,
): Promise<void> {
  const link = hostEnd(result);
  if (link === null) return;
  await atStep('alias', () =>
    binding.linkSet({ name: link.name, alias: aliasOf(key), guestPort: true, ...port }),
  );
}

/** What came out of a pool may have lost its record before its link said whose it is. One that is cut would be opened by it. */
export async function labelBare(
  binding: Pick<NativeBinding, 'dump' | 'linkLabel'>,
  name: string,
  key: AttachmentKey,
): Promise<void> {
  const { links } = await atStep('alias', () => binding.dump({ kinds: ['links'] }));
  const host = new HostLinks(links);
  const isBare = links.some((link) => link.name === name && link.alias === '' && !host.isCut(link));
  if (!isBare) return;
  await atStep('alias', () => binding.linkLabel({ links: [{ name, alias: aliasOf(key) }] }));
}

/** `null`: the alias is none of ours. */
export function ownerOfAlias(alias: string): AttachmentKey | null {
  const [by, network = '', containerId = '', ifName = '', more] = alias.split(' ');
  return by === owner && ifName !== '' && more === undefined ? { network, containerId, ifName } : null;
}

/** One dump of the host's links, by what they say about whose they are. */
export class HostLinks {
  readonly all: readonly LinkInfo[];
  readonly #byAlias = new Map<string, LinkInfo[]>();
  readonly #byName = new Map<string, LinkInfo>();
  /** By index. */
  readonly #downBridges = new Set<number>();

  constructor(links: readonly LinkInfo[]) {
    this.all = links;
    for (const link of links) {
      if (link.kind === 'bridge' && !link.up) this.#downBridges.add(link.index);
      if (link.kind === 'bridge') continue;
      this.#byName.set(link.name, link);
      if (link.alias !== '') this.#byAlias.set(link.alias, [...(this.#byAlias.get(link.alias) ?? []), link]);
    }
  }

  /**
   * `null` when it has gone. A link that lost its alias, or that another runtime's chain made, is known by its name and
   * MAC. Links of earlier attachments of the VM, which the kernel has yet to free, have the same alias.
   */
  of(record: AttachmentKey & Pick<CacheRecord, 'result'>): LinkInfo | null {
    const named = hostEnd(record.result);
    const byName = named === null ? undefined : this.#byName.get(named.name);
    const alias = aliasOf(record);
    if (named !== null && byName !== undefined) {
      if (byName.alias === alias) return byName;
      if (ownerOfAlias(byName.alias) === null && named.mac.toLowerCase() === byName.mac) return byName;
    }
    return this.withAlias(record)[0] ?? null;
  }

  withAlias(key: AttachmentKey): readonly LinkInfo[] {
    return this.#byAlias.get(aliasOf(key)) ?? [];
  }

  /**
   * Whether a teardown, or somebody, has taken the VM off the network. A bridge that is down has disabled all of its ports: there
   * only one that is dormant was cut.
   */
  isCut({ up, portState, dormant, rising, master }: LinkInfo): boolean {
    if (!up || dormant) return true;
    return portState === portDisabled && !rising && !this.#downBridges.has(master);
  }

  /** Those whose alias is ours, whatever the network. */
  get owned(): readonly { readonly link: LinkInfo; readonly owner: AttachmentKey }[] {
    return this.all.flatMap((link) => {
      const key = ownerOfAlias(link.alias);
      return key === null ? [] : [{ link, owner: key }];
    });
  }
}

export async function readHostLinks(binding: Pick<NativeBinding, 'dump'>): Promise<HostLinks> {
  const { links } = await atStep('link', () => binding.dump({ kinds: ['links'] }));
  return new HostLinks(links);
}

export async function findHostLink(
  binding: LinkBinding,
  record: AttachmentKey & Pick<CacheRecord, 'result'>,
): Promise<LinkInfo | null> {
  const { links } = await atStep('cut', () => binding.dump({ kinds: ['links'] }));
  return new HostLinks(links).of(record);
}

/** `null` also when it is cut. */
export async function findUncutLink(
  binding: LinkBinding,
  record: AttachmentKey & Pick<CacheRecord, 'result'>,
): Promise<LinkInfo | null> {
  const { links } = await atStep('cut', () => binding.dump({ kinds: ['links'] }));
  const host = new HostLinks(links);
  const link = host.of(record);
  return link === null || host.isCut(link) ? null : link;
}

/** Whether a link of the host says that it belongs to one of the containers, in whatever network. */
export async function hasHostLink(binding: LinkBinding, containerIds: ReadonlySet<string>): Promise<boolean> {
  const { links } = await atStep('anchor', () => binding.dump({ kinds: ['links'] }));
  return links.some(({ alias }) => containerIds.has(ownerOfAlias(alias)?.containerId ?? ''));
}

/** The error of a cut that the kernel refused. */
export function cutError({ containerId, network }: AttachmentKey, name: string, error: unknown): unknown {
  const refused = kernelError('cut', error);
  if (!(refused instanceof NetworkError)) return refused;
  const problem = `link ${name} of ${containerId} cannot be cut, so its address stays taken: ${(error as Error).message}`;
  const message = withRemedy('ERR_LINK_CUT', problem);
  const { errno, syscall, kernelMessage } = refused;
  return new NetworkError('ERR_LINK_CUT', message, {
    ...{ step: 'cut', network, cause: error },
    ...(errno === undefined ? {} : { errno }),
    ...(syscall === undefined ? {} : { syscall }),
    ...(kernelMessage === undefined ? {} : { kernelMessage }),
  });
}

/** Takes the VM off the network, whoever still holds its namespace. */
export async function cutHostLink(
  binding: LinkBinding,
  key: AttachmentKey,
  { name, portState }: LinkInfo,
): Promise<void> {
  try {
    await binding.linkSet(portState === noPort ? { name, up: false } : { name, cut: true });
  } catch (error) {
    throw cutError(key, name, error);
  }
}

/** With it goes its peer, in whatever namespace that is. Stays where it says by now that it is another's: a slot's link gets its next VM. */
export async function deleteHostLink(binding: LinkBinding, { name, alias }: LinkInfo): Promise<void> {
  await atStep('link', () => binding.linkDelete({ name, alias }));
}
