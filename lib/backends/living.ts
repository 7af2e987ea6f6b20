import type { AttachmentKey, CacheRecord } from '../cni/types.ts';
import type { AnchorState } from '../native/binding.ts';
import { findHostLink, isCut } from './host-link.ts';
import type { HeldLock } from './locks.ts';
import type { Runtime } from './runtime.ts';

/**
 * What stands at the VM's anchor, under its lock. A namespace that lost its name and lives on, as the attachment's link
 * shows, has it again: only by its name can it be looked into, and be cut off.
 */
export async function livingState(
  { anchors, binding }: Runtime,
  vmId: string,
  key: AttachmentKey & Partial<Pick<CacheRecord, 'result'>>,
  lock: HeldLock,
): Promise<AnchorState> {
  const state = await anchors.state(vmId, lock);
  if (!state.claimed || !(state.kind === 'absent' || state.kind === 'file')) return state;
  const link = await findHostLink(binding, { result: null, ...key });
  if (link === null || isCut(link) || !(await anchors.restore(vmId, lock))) return state;
  return anchors.state(vmId, lock);
}
