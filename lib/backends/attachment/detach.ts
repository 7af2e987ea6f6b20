import { collect } from '../../cni/collect.ts';
import type { AttachmentKey, CacheRecord } from '../../cni/types.ts';
import { isNetworkError, NetworkError } from '../../errors.ts';
import type { AnchorState } from '../../native/sys.ts';
import type { Scope } from '../../operation.ts';
import { claimsNothing, containerIdOf, isOurs } from '../host/anchor.ts';
import { cutHostLink, deleteHostLink, findHostLink, hasHostLink } from '../host/host-link.ts';
import type { HeldLock } from '../host/locks.ts';
import type { Runtime } from '../network/runtime.ts';
import { guardedPort, unguard, unguardLink, unguardMissing } from './guard.ts';
import { livingState } from './living.ts';
import { claimLost } from './lost-claim.ts';
import { recordedAddresses } from './network-config.ts';
import { isAnothers, keyOf, recordOf, vmIdOf } from './records.ts';
import type { Undoing } from './undoing.ts';

/** Everything of a VM, undone under its lock: the cut first, then what its backend built, the namespace's name, and the record. */

export interface Detachment {
  readonly undoing: Undoing;
  readonly vmId: string;
  readonly records: readonly CacheRecord[];
  readonly lock: HeldLock;
  readonly scope: Scope;
  /** Whoever detaches many looks at the end, and once, for what is guarded without a link. */
  readonly sweptLater?: boolean;
  /** The host's link of what this process has made of the VM. */
  readonly own?: string | null;
}

/**
 * Resolves with what stood at the VM's anchor. That of a setup which never came to its record stays when a plugin fails:
 * without it nobody would find again what the plugin left.
 */
export async function detachUnderLock(runtime: Runtime, detachment: Detachment): Promise<AnchorState> {
  const { vmId, records, lock } = detachment;
  // By its record a VM is found whatever has become of its namespace; without one, by its namespace alone.
  const found =
    records.length > 0 ? await runtime.anchors.state(vmId, lock) : await unrecordedState(runtime, detachment);
  const isTheirs = !claimsNothing(found) && (await isAnothers(runtime, vmId, records, found));
  const state = isTheirs ? { ...found, claimed: false } : found;
  const errors: NetworkError[] = [];
  for (const record of records) errors.push(...(await removeRecorded(runtime, record, state, detachment)));
  if (records.length === 0 && !isTheirs && mayHavePart(runtime, state)) {
    errors.push(...(await undoPartial(runtime, state, detachment)));
    if (errors.length > 0) throw incomplete(vmId, errors);
  }
  if (!isTheirs) await collect(errors, () => removeAnchor(runtime, state, detachment));
  if (errors.length > 0) throw incomplete(vmId, errors);
  return state;
}

async function unrecordedState(
  runtime: Runtime,
  { vmId, lock, own = null }: Detachment,
): Promise<AnchorState> {
  const state = await livingState(runtime, vmId, null, lock);
  return own === null ? state : claimLost(runtime, vmId, state, own, lock);
}

/**
 * What is undone is told of no namespace where there is none, or it is not the one that the attachment was made in.
 * ERR_LINK_CUT is thrown before anything else was done.
 */
async function removeRecorded(
  runtime: Runtime,
  record: CacheRecord,
  anchor: AnchorState,
  { undoing, lock, scope }: Detachment,
): Promise<readonly NetworkError[]> {
  const { binding, cache } = runtime;
  scope.step = 'cut';
  const link = await findHostLink(binding, record);
  if (link !== null) await cutHostLink(binding, record, link);

  const ips = recordedAddresses(record) ?? [];
  runtime.leftConnections.add(ips);
  const netns = (await isUsable(runtime, record, anchor)) ? record.netns : '';
  const errors: NetworkError[] = [];
  await collect(errors, async () => {
    errors.push(...(await undoing.recorded(record, netns, lock, scope)));
  });
  await collect(errors, () => unguard(binding, record.result && guardedPort(record, record.result)));
  const released = errors.length === 0;
  if (link !== null) await collect(errors, () => deleteHostLink(binding, link));
  if (released) await collect(errors, () => cache.remove(record));
  runtime.leftConnections.add(ips);
  return errors;
}

/** Whether the record's path is still the namespace that it was; for one that is no anchor, any namespace will do. */
async function isUsable({ anchors }: Runtime, { netns }: CacheRecord, anchor: AnchorState): Promise<boolean> {
  if (anchors.vmIdOf(netns) !== null) return isOurs(anchor);
  const { kind, isHost } = await anchors.stateAt(netns);
  return kind === 'namespace' && !isHost;
}

/** A namespace without a record: a setup that was killed on its way, or what another runtime's DEL has left. */
async function undoPartial(
  runtime: Runtime,
  state: AnchorState,
  { undoing, vmId, lock, scope, sweptLater = false }: Detachment,
): Promise<readonly NetworkError[]> {
  const { binding, network } = runtime;
  const containerId = containerIdOf(vmId, state);
  const key = keyOf(runtime, containerId);
  if (await isOfAnotherVm(runtime, vmId, key)) return [];
  scope.step = 'cut';
  const link = await findHostLink(binding, { ...key, result: null });
  if (link !== null) await cutHostLink(binding, key, link);
  const netns = isOurs(state) ? runtime.anchors.pathOf(vmId) : '';
  const errors: NetworkError[] = [];
  await collect(errors, async () => {
    errors.push(...(await undoing.partial(containerId, netns, lock, scope)));
  });
  if (link !== null) await collect(errors, () => deleteHostLink(binding, link));
  if (!network.guarded) return errors;
  if (link !== null) await collect(errors, () => unguardLink(binding, link.name));
  if (!sweptLater) await collect(errors, () => unguardMissing(runtime));
  return errors;
}

/** The id of its attachment was free to choose. */
export async function isOfAnotherVm(runtime: Runtime, vmId: string, key: AttachmentKey): Promise<boolean> {
  const record = await recordOf(runtime, key).catch((error: unknown) => {
    if (isNetworkError(error, 'ERR_RECORD_CORRUPT')) return null;
    throw error;
  });
  return record !== null && vmIdOf(runtime, record) !== vmId;
}

/** Chains begin with the namespace; a native setup has reserved its address before. */
export function mayHavePart({ config }: Runtime, state: AnchorState): boolean {
  if (state.kind === 'absent') return !claimsNothing(state) || config.backend === 'native';
  return isOurs(state) || (state.kind === 'file' && state.claimed);
}

/** What is not ours stays; that is an error only where a VM of ours should have been there. */
async function removeAnchor(
  runtime: Runtime,
  state: AnchorState,
  { vmId, records, lock, scope }: Detachment,
): Promise<void> {
  scope.step = 'anchor';
  const { anchors } = runtime;
  if (isOurs(state) || (await mayClear(runtime, vmId, records, state))) {
    await anchors.remove(vmId, lock);
  } else if (state.kind !== 'absent') {
    if (records.some(({ netns }) => anchors.vmIdOf(netns) === vmId)) throw anchors.foreign(vmId, state);
    if (state.claimed) return;
  } else if (state.claimed) {
    for (const { netns } of records) await anchors.removeRecorded(vmId, netns, lock);
  }
  lock.spent = true;
}

/** Whether a plain file at the VM's anchor is proven to be no living namespace. */
export async function mayClear(
  { anchors, binding }: Runtime,
  vmId: string,
  records: readonly CacheRecord[],
  state: AnchorState,
): Promise<boolean> {
  if (!(await anchors.isNobodys(state))) return false;
  const ids = new Set([vmId, ...records.map(({ containerId }) => containerId)]);
  return !(await hasHostLink(binding, ids));
}

/** Each step that failed, once all others are done. */
export function incomplete(vmId: string, errors: readonly NetworkError[]): NetworkError {
  const [only] = errors;
  const message = `${vmId} is off the network, but not all of it could be undone: ${errors.map((error) => error.message).join('; ')}`;
  return new NetworkError('ERR_TEARDOWN_INCOMPLETE', message, {
    ...{ vmId, errors, cause: only },
    ...(only?.step === undefined ? {} : { step: only.step }),
  });
}
