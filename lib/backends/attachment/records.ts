import { parseAnyConf } from '../../cni/conflist.ts';
import type { AttachmentKey, CacheRecord } from '../../cni/types.ts';
import { isNetworkError, type NetworkError } from '../../errors.ts';
import type { AnchorState } from '../../native/sys.ts';
import { isOurs } from '../host/anchor.ts';
import { findHostLink } from '../host/host-link.ts';
import { knownLayout, type NativeLayout } from '../network/layout.ts';
import type { Runtime } from '../network/runtime.ts';

/** Which records are a VM's. */

export function keyOf({ network, config }: Runtime, containerId: string): AttachmentKey {
  return { network: network.name, containerId, ifName: config.ifName };
}

/** By its namespace; a container that another runtime gave a namespace of its own goes by its id. */
export function vmIdOf({ anchors }: Runtime, { netns, containerId }: CacheRecord): string {
  return anchors.vmIdOf(netns) ?? containerId;
}

/** All records of the network, and what could not be read of the directory. */
export async function recordsOfNetwork(runtime: Runtime): Promise<{
  readonly records: readonly CacheRecord[];
  readonly errors: readonly NetworkError[];
}> {
  const { records, errors } = await runtime.cache.list();
  return { records: records.filter(({ network }) => network === runtime.network.name), errors };
}

/** `null` for a file name that belongs to another attachment, too: it says nothing about this one. */
export function recordOf({ cache }: Runtime, key: AttachmentKey): Promise<CacheRecord | null> {
  return cache.read(key).catch((error: unknown) => {
    if (isNetworkError(error, 'ERR_RECORD_MISMATCH')) return null;
    throw error;
  });
}

/** The network's records of the VM. Where the containerId is the vmId, the others need not be read. */
export async function recordsOfVm(runtime: Runtime, vmId: string): Promise<readonly CacheRecord[]> {
  const usual = await recordOf(runtime, keyOf(runtime, vmId));
  if (usual !== null && vmIdOf(runtime, usual) === vmId) return [usual];
  const { records } = await recordsOfNetwork(runtime);
  return records.filter((record) => vmIdOf(runtime, record) === vmId);
}

/** Of all networks, in the VM's namespace. */
export async function recordsInNamespace(
  { anchors, cache }: Runtime,
  vmId: string,
): Promise<readonly CacheRecord[]> {
  const { records } = await cache.list();
  return records.filter(({ netns }) => anchors.vmIdOf(netns) === vmId);
}

/**
 * Whether another network has the VM: it has a record of it, whose link is there where the namespace has no name, and none of
 * `own`, this network's, has its link any more.
 */
export async function isAnothers(
  runtime: Runtime,
  vmId: string,
  own: readonly CacheRecord[],
  state: AnchorState,
): Promise<boolean> {
  const hasLink = async (record: CacheRecord) => (await findHostLink(runtime.binding, record)) !== null;
  for (const record of own) if (await hasLink(record)) return false;
  for (const record of await recordsInNamespace(runtime, vmId)) {
    if (record.network === runtime.network.name) continue;
    if (isOurs(state) || (await hasLink(record))) return true;
  }
  return false;
}

/** What a record's configuration describes, where it needs no plugins. */
export function layoutOf({ network }: Runtime, { config }: CacheRecord): NativeLayout | null {
  if (config === network.list.text) return network.layout;
  return knownLayout(parseAnyConf(config, 'the record'), 'the record');
}
