import type { Stop } from '../../async/stop.ts';
import { recordName } from '../../cni/names.ts';
import type { FirewallNeed, ReservedAddress } from '../../native/attachment.ts';
import type { NativeError } from '../../native/error.ts';
import { isNativeError, kernelError } from '../../native/kernel-error.ts';
import { runTask } from '../../native/task.ts';
import { debug } from '../../observe.ts';
import { Scope } from '../../operation.ts';
import type { TapOwner } from '../../types.ts';
import { withStore } from '../attachment/lost-store.ts';
import { keyOf } from '../attachment/records.ts';
import type { AttachRequest } from '../attachment/request.ts';
import { newHostLink, slotMac } from '../host/host-link.ts';
import { type Attached, attachError, onSomeBridge } from '../native/attach.ts';
import type { AttachmentNames, LinkNames } from '../native/placeholders.ts';
import {
  detachmentOf,
  type LinkDetachment,
  linkDetachment,
  planLink,
  type WrittenRecord,
} from '../native/plan.ts';
import type { NativeRuntime } from '../native/runtime.ts';
import { ownerOf } from '../network/addresses.ts';
import type { Bridge } from '../network/network.ts';

/** One attachment ahead of its VM: how it is built, and how it is named. */

export interface Slot {
  readonly handle: number;
  readonly bridge: Bridge;
  readonly names: LinkNames;
  readonly addresses: readonly ReservedAddress[];
  /** What takes its link away from the host again. */
  readonly undo: LinkDetachment;
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

interface FillOptions extends SlotProfile {
  readonly recycle: boolean;
}

export function fillSlot(
  native: NativeRuntime,
  options: FillOptions,
  owner: string,
  stop: Stop,
): Promise<Slot> {
  const { runtime } = native;
  const network = runtime.network.name;
  const scope = new Scope({ operation: 'warmUp', network, timeoutMs, closing: stop });
  const fill = (bridge: Bridge) =>
    runtime.firewall
      .behind(scope, (need) => fillOn(native, bridge, { ...options, firewall: need }, owner, stop))
      .catch((error: unknown) => {
        throw attachError(error);
      });
  const work = () => onSomeBridge(native, fill, (remake) => remake(scope));
  return withStore(runtime, scope, work).finally(() => scope.end());
}

async function fillOn(
  native: NativeRuntime,
  bridge: Bridge,
  options: FillOptions & { readonly firewall: FirewallNeed },
  owner: string,
  stop: Stop,
): Promise<Slot> {
  const { anchors, binding, cache, leftConnections, locks } = native.runtime;
  const { tapName, tapOwner, recycle, firewall } = options;
  const { name: hostLink, mac: hostMac } = newHostLink(keyOf(native.runtime, owner));
  const names: LinkNames = {
    ...{ hostLink, hostMac, mac: slotMac(hostLink) },
    ...{ tapName, uid: String(tapOwner.uid), gid: String(tapOwner.gid) },
  };
  const template = native.templateFor(null, bridge);
  const link = planLink(native, template, names, { alias: '', owner, tapOwner });
  const plan = {
    ...{ locks: locks.planWithin(owner, timeoutMs), firewall, interface: link, recycled: recycle },
    anchors: anchors.directory,
    record: { directory: cache.directory, text: template.recordTextOf(names) },
  };
  const filled = await runTask(binding, stop, (taskId) => binding.slotFill({ ...plan, taskId }));
  const { slot: handle, addresses } = filled;
  await leftConnections.forgotten(addresses);
  return { handle, bridge, names, addresses, undo: linkDetachment(link, addresses) };
}

function namesOf(
  { runtime }: NativeRuntime,
  slot: Slot,
  { vmId, containerId }: AttachRequest,
): AttachmentNames {
  const { hostLink, hostMac, mac, tapName, uid, gid } = slot.names;
  const netns = runtime.anchors.pathOf(vmId);
  return { vmId, containerId, netns, hostLink, hostMac, mac, tapName, uid, gid };
}

/** Rejects with what the addon rejects with. */
export async function nameSlot(
  native: NativeRuntime,
  slot: Slot,
  request: AttachRequest,
  scope: Scope,
): Promise<Attached & { readonly record: WrittenRecord }> {
  const { anchors, binding, cache, firewall, locks } = native.runtime;
  const key = keyOf(native.runtime, request.containerId);
  const names = namesOf(native, slot, request);
  const { vmId, containerId } = request;
  const record = recordName(key);
  const owner = ownerOf(key);
  scope.step = 'attach';
  const named = await firewall.behind(scope, (need) =>
    runTask(binding, scope, (taskId) =>
      binding.slotName({
        taskId,
        slot: slot.handle,
        vm: vmId,
        container: containerId === vmId ? undefined : containerId,
        timeoutMs: locks.timeoutMsOf(scope),
        table: need.table,
        anchor: anchors.nameOf(vmId),
        record,
        owner,
      }),
    ),
  );
  scope.took(named.steps);
  const written = { directory: cache.directory, name: record, version: named.record };
  const config = native.templateFor(null, slot.bridge).configOf(names, slot.addresses, 'warm');
  return { config, undo: detachmentOf(slot.undo, owner, written), bridge: slot.bridge.name, record: written };
}

/** What stands in the way of a return, but not of a teardown. */
export type NotReturned = 'unreturned' | 'stale';

export interface Returning {
  readonly vmId: string;
  /** Whether the link may say whose it is. */
  readonly labelled: boolean;
}

/** Takes the VM away that a slot became; where more stands in its way than a lock, a teardown does the rest. */
export async function returnSlot(
  { runtime }: NativeRuntime,
  slot: Slot,
  { vmId, labelled }: Returning,
  scope: Scope,
): Promise<'returned' | NotReturned> {
  const { binding, locks } = runtime;
  const plan = { slot: slot.handle, timeoutMs: locks.timeoutMsOf(scope), labelled };
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
