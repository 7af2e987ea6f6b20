import type { AttachmentKey, CacheRecord } from '../cni/types.ts';
import { isNetworkError, type NetworkError } from '../errors.ts';
import type { Runtime } from './runtime.ts';

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

/** The network's records of the VM. Where the containerId is the vmId, the others need not be read. */
export async function recordsOfVm(runtime: Runtime, vmId: string): Promise<readonly CacheRecord[]> {
  const usual = await runtime.cache.read(keyOf(runtime, vmId)).catch(unlessAnothers);
  if (usual !== null && vmIdOf(runtime, usual) === vmId) return [usual];
  const { records } = await recordsOfNetwork(runtime);
  return records.filter((record) => vmIdOf(runtime, record) === vmId);
}

/** Whether any network has an attachment in the VM's namespace. */
export async function isAttached({ cache, anchors }: Runtime, vmId: string): Promise<boolean> {
  const { records } = await cache.list();
  return records.some(({ netns }) => anchors.vmIdOf(netns) === vmId);
}

/** A file name that two attachments share says nothing about this VM. */
function unlessAnothers(error: unknown): null {
  if (isNetworkError(error, 'ERR_RECORD_MISMATCH')) return null;
  throw error;
}
