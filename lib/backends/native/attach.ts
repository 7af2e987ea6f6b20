import { isNetworkError, NetworkError } from '../../errors.ts';
import type { AttachResult, DetachInterface } from '../../native/attachment.ts';
import { isNativeError, kernelError } from '../../native/kernel-error.ts';
import { runTask } from '../../native/task.ts';
import type { Scope } from '../../operation.ts';
import type { NetworkConfig } from '../../types.ts';
import { incomplete } from '../attachment/detach.ts';
import { withStore } from '../attachment/lost-store.ts';
import { makeRoom } from '../attachment/make-room.ts';
import type { AttachRequest } from '../attachment/request.ts';
import type { Undoing } from '../attachment/undoing.ts';
import type { Bridge } from '../network/network.ts';
import { detachmentOf, linkDetachment, nameAttachment, planAttachment } from './plan.ts';
import type { NativeRuntime } from './runtime.ts';

export interface Attached {
  readonly config: NetworkConfig;
  /** What takes it away again, as long as its record is the one that was written. */
  readonly undo: DetachInterface;
  /** That it is a port of. */
  readonly bridge: string;
}

/** One setup in one native call. Only where something stands in its way is looked what that is. */
export async function attach(
  native: NativeRuntime,
  undoing: Undoing,
  request: AttachRequest,
  scope: Scope,
): Promise<Attached> {
  const { runtime } = native;
  const once = (bridge: Bridge) =>
    withStore(runtime, scope, () => attachOnce(native, bridge, request, scope));
  const inIt: InScope = (work) => work(scope);
  try {
    return await onSomeBridge(native, once, inIt);
  } catch (error) {
    if (!isObstacle(error)) throw error;
  }
  const { vmId, containerId } = request;
  await runtime.locks.withVm(vmId, scope, async (lock) => {
    await makeRoom(runtime, undoing, request, lock, scope);
    // A setup that was killed may have come to its address, and no further.
    const [failed, ...others] = await undoing.partial(containerId, '', lock, scope);
    if (failed !== undefined) throw incomplete(vmId, [failed, ...others]);
  });
  return onSomeBridge(native, once, inIt);
}

/** Where a bridge has to be made again. */
type InScope = (work: (scope: Scope) => Promise<void>) => Promise<void>;

/** `attach` makes a port. Other processes may have filled the bridge that seemed to have room, or somebody deleted it. */
export async function onSomeBridge<T>(
  { bridges }: NativeRuntime,
  attach: (bridge: Bridge) => Promise<T>,
  inScope: InScope,
): Promise<T> {
  try {
    return await bridges.withPort(attach);
  } catch (error) {
    if (isWithoutBridge(error)) await inScope((scope) => bridges.makeAgain(scope, error));
    else if (!isNetworkError(error, 'ERR_BRIDGE_FULL') || !(await bridges.hasRoomElsewhere())) throw error;
    return bridges.withPort(attach);
  }
}

/** Or with one that is down. */
function isWithoutBridge(error: unknown): boolean {
  const isAtBridge = error instanceof NetworkError && error.step === 'bridge';
  return isAtBridge && isNativeError(error.cause) && ['ENODEV', 'ENETDOWN'].includes(error.cause.code);
}

export function isObstacle(error: unknown): boolean {
  return isNetworkError(error, 'ERR_ATTACHMENT_EXISTS') || isNetworkError(error, 'ERR_NETNS_FOREIGN');
}

async function attachOnce(
  native: NativeRuntime,
  bridge: Bridge,
  request: AttachRequest,
  scope: Scope,
): Promise<Attached> {
  const { binding, firewall } = native.runtime;
  const template = native.templateFor(request.address, bridge);
  const names = nameAttachment(native, request);
  const plan = planAttachment(native, template, names, request, scope);
  scope.step = 'attach';
  let attached: AttachResult;
  try {
    attached = await firewall.behind(scope, (need) =>
      runTask(binding, scope, (taskId) => binding.attach({ ...plan, firewall: need, taskId })),
    );
  } catch (error) {
    throw attachError(error);
  }
  scope.took(attached.steps);
  const [planned] = plan.interfaces;
  const [made] = attached.interfaces;
  return {
    config: template.configOf(names, made.addresses, 'cold'),
    undo: detachmentOf(linkDetachment(planned, made.addresses), planned.addresses.owner, {
      directory: planned.record.directory,
      name: planned.record.name,
      version: made.record,
    }),
    bridge: bridge.name,
  };
}

export function attachError(error: unknown): unknown {
  // What kept the firewall from being put back is public already, and nothing of the VM was left by then.
  if (error instanceof NetworkError) return error.with({ rolledBack: error.rolledBack ?? true });
  if (!isNativeError(error)) return error;
  const refused = kernelError(error.step ?? 'attach', error);
  const rolledBack = error.undoErrors === undefined || error.undoErrors.length === 0;
  return refused instanceof NetworkError ? refused.with({ rolledBack }) : refused;
}
