import type { CacheRecord } from '../../cni/types.ts';
import { NetworkError } from '../../errors.ts';
import type { AnchorState } from '../../native/sys.ts';
import type { Scope } from '../../operation.ts';
import { claimsNothing, containerIdOf, isOurs } from '../host/anchor.ts';
import { findHostLink, findUncutLink } from '../host/host-link.ts';
import { inhabitedNamespaces } from '../host/inhabited.ts';
import type { HeldLock } from '../host/locks.ts';
import type { Runtime } from '../network/runtime.ts';
import { detachUnderLock, mayClear, mayHavePart } from './detach.ts';
import { livingState } from './living.ts';
import { lostOwner } from './lost-claim.ts';
import { keyOf, recordsInNamespace, vmIdOf } from './records.ts';
import type { AttachRequest } from './request.ts';
import type { Undoing } from './undoing.ts';

/** Refuses where the VM has its network, or something foreign stands in the way; clears what a crash has left. */
export async function makeRoom(
  runtime: Runtime,
  undoing: Undoing,
  { vmId, containerId }: AttachRequest,
  lock: HeldLock,
  scope: Scope,
): Promise<void> {
  const { anchors, binding, cache } = runtime;
  scope.step = 'anchor';
  const found = await anchors.state(vmId, lock);
  lock.spent = claimsNothing(found);
  const record =
    (await cache.read(keyOf(runtime, containerId))) ?? (await recordOfClaim(runtime, vmId, found));
  const state = await livingState(runtime, vmId, record, lock);
  if (record === null && state.kind === 'absent' && !mayHavePart(runtime, state)) return;
  if (isOurs(state) || (state.kind === 'absent' && state.claimed)) await refuseAttached(runtime, vmId, state);
  if (record !== null && (await isAlive(runtime, vmId, record))) throw exists(runtime, vmId);
  if (record === null && isOurs(state) && (await inhabitedNamespaces(binding)()).has(state.inode)) {
    lock.spent = false;
    throw exists(runtime, vmId);
  }
  if (state.kind !== 'absent' && !isOurs(state) && !(await mayClear(runtime, vmId, [], state))) {
    throw (await lostOwner(runtime, vmId, state)) === null
      ? anchors.foreign(vmId, state)
      : exists(runtime, vmId);
  }
  await detachUnderLock(runtime, {
    ...{ undoing, vmId, lock, scope },
    records: record === null ? [] : [record],
  });
}

/** Of any network: whoever has lost the namespace's name is still there while its link is. */
async function refuseAttached(runtime: Runtime, vmId: string, state: AnchorState): Promise<void> {
  for (const record of await recordsInNamespace(runtime, vmId)) {
    if (!isOurs(state) && (record.network === runtime.network.name || !(await hasLink(runtime, record))))
      continue;
    throw exists(runtime, vmId, record.network);
  }
}

const hasLink = async ({ binding }: Runtime, record: CacheRecord) =>
  (await findHostLink(binding, record)) !== null;

/** What the VM had under another id. */
async function recordOfClaim(
  runtime: Runtime,
  vmId: string,
  state: AnchorState,
): Promise<CacheRecord | null> {
  if (state.container === null) return null;
  const record = await runtime.cache.read(keyOf(runtime, containerIdOf(vmId, state)));
  return record !== null && vmIdOf(runtime, record) === vmId ? record : null;
}

/**
 * In a namespace of another's making, or of another VM, which may have lost its name; what stands at the VM's own anchor is
 * known already.
 */
async function isAlive({ anchors, binding }: Runtime, vmId: string, record: CacheRecord): Promise<boolean> {
  if (anchors.vmIdOf(record.netns) === vmId) return false;
  const { kind } = await anchors.stateAt(record.netns);
  return kind === 'namespace' || (await findUncutLink(binding, record)) !== null;
}

export function exists(runtime: Runtime, vmId: string, network = runtime.network.name): NetworkError {
  const message =
    network === runtime.network.name
      ? `${vmId} already has its network; tear it down first, or use another vmId`
      : `${vmId} already has the network ${network}; tear it down there first, or use another vmId`;
  return new NetworkError('ERR_ATTACHMENT_EXISTS', message, { vmId, network: runtime.network.name });
}
