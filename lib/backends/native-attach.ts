import type { AnyResult } from '../cni/types.ts';
import { isNetworkError, NetworkError } from '../errors.ts';
import { runTask } from '../native/task.ts';
import type { Scope } from '../operation.ts';
import type { NetworkConfig } from '../types.ts';
import type { AttachRequest } from './backend.ts';
import { isNativeError, kernelError } from './kernel-error.ts';
import { makeRoom } from './make-room.ts';
import { guestMac, planAttachment } from './native-plan.ts';
import type { NativeRuntime } from './native-runtime.ts';
import { incompleteResult, networkConfig } from './network-config.ts';
import { keyOf } from './records.ts';
import type { Undoing } from './undoing.ts';

/** One setup in one native call. Only where something stands in its way is looked what that is. */
export async function attach(
  native: NativeRuntime,
  undoing: Undoing,
  request: AttachRequest,
  scope: Scope,
): Promise<NetworkConfig> {
  try {
    return await attachOnce(native, request, scope);
  } catch (error) {
    if (!isObstacle(error)) throw error;
  }
  const { runtime } = native;
  await runtime.locks.withVm(request.vmId, scope, (lock) => makeRoom(runtime, undoing, request, lock, scope));
  return attachOnce(native, request, scope);
}

function isObstacle(error: unknown): boolean {
  return isNetworkError(error, 'ERR_ATTACHMENT_EXISTS') || isNetworkError(error, 'ERR_NETNS_FOREIGN');
}

async function attachOnce(
  { runtime, layout, bridge }: NativeRuntime,
  request: AttachRequest,
  scope: Scope,
): Promise<NetworkConfig> {
  const { binding } = runtime;
  const { vmId, containerId } = request;
  const key = keyOf(runtime, containerId);
  const mac = request.mac ?? guestMac(key, vmId);
  const { plan, resultOf } = planAttachment(runtime, layout, bridge.mac, { ...request, mac }, scope);
  scope.step = 'attach';
  const attached = await runTask(binding, scope.signal, (taskId) =>
    binding.attach({ ...plan, taskId }),
  ).catch((error: unknown) => {
    throw attachError(error);
  });
  const [link] = attached.interfaces;
  const result: AnyResult = resultOf(link?.addresses ?? []);
  const facts = { ...key, vmId, backend: 'native', netnsPath: runtime.anchors.pathOf(vmId) } as const;
  const config = networkConfig(facts, result, runtime.network.mtu);
  if (config === null) throw incompleteResult(key);
  return config;
}

function attachError(error: unknown): unknown {
  if (!isNativeError(error)) return error;
  const refused = kernelError(error.step ?? 'attach', error);
  const rolledBack = error.undoErrors === undefined || error.undoErrors.length === 0;
  return refused instanceof NetworkError ? refused.with({ rolledBack }) : refused;
}
