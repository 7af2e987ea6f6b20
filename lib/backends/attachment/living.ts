import type { CacheRecord } from '../../cni/types.ts';
import type { AnchorState } from '../../native/sys.ts';
import { containerIdOf } from '../host/anchor.ts';
import { findUncutLink } from '../host/host-link.ts';
import type { HeldLock } from '../host/locks.ts';
import type { Runtime } from '../network/runtime.ts';
import { keyOf } from './records.ts';

/**
 * What stands at the VM's anchor, under its lock. A namespace that lost its name and lives on, as the attachment's link
 * shows, has it again: only by its name can it be looked into, and be cut off.
 */
export async function livingState(
  runtime: Runtime,
  vmId: string,
  record: CacheRecord | null,
  lock: HeldLock,
): Promise<AnchorState> {
  const { anchors, binding } = runtime;
  const state = await anchors.state(vmId, lock);
  if (!state.claimed || !(state.kind === 'absent' || state.kind === 'file')) return state;
  const key = keyOf(runtime, containerIdOf(vmId, state));
  const link = await findUncutLink(binding, record ?? { ...key, result: null });
  if (link === null || !(await anchors.restore(vmId, lock))) return state;
  return anchors.state(vmId, lock);
}
