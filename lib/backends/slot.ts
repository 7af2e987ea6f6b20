import { recordName } from '../cni/names.ts';
import type { DetachInterface, ReservedAddress, SlotReturnPlan } from '../native/attachment.ts';
import type { NativeError } from '../native/error.ts';
import { runTask } from '../native/task.ts';
import { debug } from '../observe.ts';
import type { Scope } from '../operation.ts';
import type { Stop } from '../stop.ts';
import type { TapOwner } from '../types.ts';
import type { AttachRequest } from './backend.ts';
import type { Bridge } from './bridge-choice.ts';
import { newHostLink, slotMac } from './host-link.ts';
import { isNativeError, kernelError } from './kernel-error.ts';
import { type Attached, attachError, onSomeBridge } from './native-attach.ts';
import { detachmentOf, type Link, ownerOf, planLink } from './native-plan.ts';
import type { NativeRuntime } from './native-runtime.ts';
import type { AttachmentNames } from './native-template.ts';
import { keyOf } from './records.ts';

/** One attachment ahead of its VM: how it is built, and how it is named. */

export interface Slot {
  readonly handle: number;
  readonly bridge: Bridge;
  readonly link: Link;
  readonly addresses: readonly ReservedAddress[];
}

/** What all slots of a pool have, and a demand must ask for to get one. */
export interface SlotProfile {
  readonly tapName: string;
  readonly tapOwner: TapOwner;
}

export function fits({ tapName, tapOwner }: SlotProfile, request: AttachRequest): boolean {
  const { mac, address } = request;
  const { uid, gid } = request.tapOwner;
  const asksForNothing = mac === null && address === null && request.tapName === tapName;
  return asksForNothing && uid === tapOwner.uid && gid === tapOwner.gid;
}

/** How long a fill waits for locks. */
const timeoutMs = 5_000;

export function fillSlot(
  native: NativeRuntime,
  profile: SlotProfile,
  owner: string,
  stop: Stop,
): Promise<Slot> {
  return onSomeBridge(native, (bridge) => fillOn(native, bridge, profile, owner, stop));
}

async function fillOn(
  native: NativeRuntime,
  bridge: Bridge,
  profile: SlotProfile,
  owner: string,
  stop: Stop,
): Promise<Slot> {
  const { binding, locks } = native.runtime;
  const hostLink = newHostLink(keyOf(native.runtime, owner));
  const names = {
    ...{ hostLink: hostLink.name, hostMac: hostLink.mac, mac: slotMac(hostLink.name) },
    tapName: profile.tapName,
  };
  const whose = { alias: '', owner, tapOwner: profile.tapOwner };
  const link = planLink(native, native.templateFor(null, bridge), names, whose);
  const plan = { locks: locks.planWithin(owner, timeoutMs), interface: link };
  try {
    const filled = await runTask(binding, stop, (taskId) => binding.slotFill({ ...plan, taskId }));
    return { handle: filled.slot, bridge, link, addresses: filled.addresses };
  } catch (error) {
    throw attachError(error);
  }
}

function namesOf({ runtime }: NativeRuntime, { link }: Slot, request: AttachRequest): AttachmentNames {
  const { vmId, containerId, tapName, tapOwner } = request;
  const { hostLink, hostMac, mac } = link;
  return {
    vmId,
    containerId,
    tapName,
    netns: runtime.anchors.pathOf(vmId),
    hostLink,
    hostMac,
    mac,
    uid: String(tapOwner.uid),
    gid: String(tapOwner.gid),
  };
}

/** Rejects with what the addon rejects with. */
export async function nameSlot(
  native: NativeRuntime,
  slot: Slot,
  request: AttachRequest,
  scope: Scope,
): Promise<Attached & Pick<SlotReturnPlan, 'record'>> {
  const { anchors, binding, cache, locks } = native.runtime;
  const { vmId, containerId } = request;
  const key = keyOf(native.runtime, containerId);
  const template = native.templateFor(null, slot.bridge);
  const names = namesOf(native, slot, request);
  const text = template.recordOf(names, slot.addresses);
  const plan = {
    slot: slot.handle,
    locks: locks.planFor(request, scope),
    anchor: anchors.fileOf(vmId),
    owner: ownerOf(key),
    record: { directory: cache.directory, name: recordName(key), text },
  };
  scope.step = 'attach';
  const named = await runTask(binding, scope, (taskId) => binding.slotName({ ...plan, taskId }));
  scope.took(named.steps);
  const { directory, name } = plan.record;
  const made = { addresses: slot.addresses, record: named.record };
  const planned = { ...slot.link, record: plan.record };
  const owned = { ...planned, addresses: { ...planned.addresses, owner: plan.owner } };
  return {
    config: template.configOf(names, slot.addresses, 'warm'),
    undo: detachmentOf(owned, made),
    bridge: slot.bridge.name,
    record: { directory, name, version: named.record },
  };
}

/** What stands in the way of a return, but not of a teardown. */
export type NotReturned = 'unreturned' | 'stale';

/** Takes the VM away that a slot became; where more stands in its way than a lock, a teardown does the rest. */
export async function returnSlot(
  { runtime }: NativeRuntime,
  slot: Slot,
  undo: DetachInterface,
  vmId: string,
  scope: Scope,
): Promise<'returned' | NotReturned> {
  const { anchors, binding, locks } = runtime;
  const { addresses, record } = undo;
  if (addresses === null || record?.version === undefined) return 'unreturned';
  const { directory, name, version } = record;
  const plan = {
    slot: slot.handle,
    locks: locks.planOf(vmId, scope),
    anchor: anchors.fileOf(vmId),
    owner: addresses.owner,
    record: { directory, name, version },
  };
  scope.step = 'detach';
  try {
    const { stale, steps } = await binding.slotReturn(plan);
    scope.took(steps);
    return stale ? 'stale' : 'returned';
  } catch (error) {
    const { step = 'lock', message } = isNativeError(error) ? error : (error as NativeError);
    if (step === 'lock') throw isNativeError(error) ? kernelError(step, error) : error;
    debug('the slot of %s is not kept: %s', vmId, message);
    return 'unreturned';
  }
}
