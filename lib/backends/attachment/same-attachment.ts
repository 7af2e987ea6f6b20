import type { CacheRecord } from '../../cni/types.ts';
import { containerIdOf } from '../host/anchor.ts';
import { findHostLink, hostLinkName } from '../host/host-link.ts';
import type { HeldLock } from '../host/locks.ts';
import type { Runtime } from '../network/runtime.ts';
import { isAnothers, keyOf } from './records.ts';

/**
 * Whether what the VM has now, under its lock, is the attachment whose link on the host had that name, or a part of it: no
 * two ever have the same. A record may have been lost, and made again.
 */
export async function isSameAttachment(
  runtime: Runtime,
  vmId: string,
  hostLink: string,
  records: readonly CacheRecord[],
  lock: HeldLock,
): Promise<boolean> {
  if (records.length > 0) return records.some((record) => hostLinkName(record) === hostLink);
  const state = await runtime.anchors.state(vmId, lock);
  const containerId = containerIdOf(vmId, state);
  const link = await findHostLink(runtime.binding, { ...keyOf(runtime, containerId), result: null });
  if (link !== null) return link.name === hostLink;
  return !(await isAnothers(runtime, vmId, [], state));
}
