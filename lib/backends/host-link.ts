import { currentResult } from '../cni/convert.ts';
import type { AnyResult, AttachmentKey, CacheRecord, Interface } from '../cni/types.ts';
import { NetworkError } from '../errors.ts';
import type { LinkInfo, NativeBinding } from '../native/binding.ts';
import { atStep, kernelError } from './kernel-error.ts';

/** The host's end of an attachment: whose it is, and how it is cut. */

export type LinkBinding = Pick<NativeBinding, 'dump' | 'linkSet' | 'linkDelete'>;

/** `IFLA_BRPORT_STATE`. */
const portDisabled = 0;
/** `IFLA_BRPORT_STATE` of what is no bridge port. */
const noPort = -1;

const owner = 'vulcan-net';

function aliasOf({ network, containerId, ifName }: AttachmentKey): string {
  return `${owner} ${network} ${containerId} ${ifName}`;
}

/**
 * In results of veth plugins the host's end stands just before the end in the sandbox; other links of the host, such as
 * the bridge, or the gateway's port of a VLAN, belong to others as well.
 */
function hostEnd(result: AnyResult | null): Interface | null {
  const interfaces = result === null ? [] : currentResult(result).interfaces;
  const before = interfaces[interfaces.findIndex(({ sandbox }) => sandbox !== '') - 1];
  return before ?? null;
}

/** Writes on the host's end whose it is, so that it can be told from another that has its name later. */
export async function labelHostLink(
  binding: LinkBinding,
  key: AttachmentKey,
  result: AnyResult,
): Promise<void> {
  const link = hostEnd(result);
  if (link === null) return;
  await atStep('alias', () => binding.linkSet({ name: link.name, alias: aliasOf(key) }));
}

/** `null` when it has gone. A link without an alias, of a chain that another runtime ran, is known by its MAC. */
export async function findHostLink(binding: LinkBinding, record: CacheRecord): Promise<LinkInfo | null> {
  const named = hostEnd(record.result);
  const alias = aliasOf(record);
  const { links } = await atStep('cut', () => binding.dump({ kinds: ['links'] }));
  const isIts = (link: LinkInfo) =>
    link.alias === ''
      ? named?.name === link.name && named.mac.toLowerCase() === link.mac
      : link.alias === alias;
  return links.find((link) => link.kind !== 'bridge' && isIts(link)) ?? null;
}

/** Whether a link of the host says that it belongs to one of the containers, in whatever network. */
export async function hasHostLink(binding: LinkBinding, containerIds: ReadonlySet<string>): Promise<boolean> {
  const { links } = await atStep('anchor', () => binding.dump({ kinds: ['links'] }));
  return links.some(({ alias }) => {
    const [by, , containerId = ''] = alias.split(' ');
    return by === owner && containerIds.has(containerId);
  });
}

/** Takes the VM off the network, whoever still holds its namespace. */
export async function cutHostLink(
  binding: LinkBinding,
  { containerId, network }: CacheRecord,
  { name, portState }: LinkInfo,
): Promise<void> {
  try {
    await binding.linkSet(portState === noPort ? { name, up: false } : { name, portState: portDisabled });
  } catch (error) {
    const refused = kernelError('cut', error);
    if (!(refused instanceof NetworkError)) throw refused;
    const message = `link ${name} of ${containerId} cannot be cut, so its address stays taken: ${refused.message}`;
    const { errno, syscall, kernelMessage } = refused;
    throw new NetworkError('ERR_LINK_CUT', message, {
      ...{ step: 'cut', network, cause: error },
      ...(errno === undefined ? {} : { errno }),
      ...(syscall === undefined ? {} : { syscall }),
      ...(kernelMessage === undefined ? {} : { kernelMessage }),
    });
  }
}

/** With it goes its peer, in whatever namespace that is. */
export async function deleteHostLink(binding: LinkBinding, { name }: LinkInfo): Promise<void> {
  await atStep('link', () => binding.linkDelete({ name }));
}
