import { recordName } from '../../cni/names.ts';
import type { AttachmentKey, CacheRecord } from '../../cni/types.ts';
import { NetworkError } from '../../errors.ts';
import type { AttachmentLocks, DetachPlan, DetachResult, FileVersion } from '../../native/attachment.ts';
import type { NativeError } from '../../native/error.ts';
import { kernelError } from '../../native/kernel-error.ts';
import type { Scope } from '../../operation.ts';
import { incomplete } from '../attachment/detach.ts';
import { guardedPort } from '../attachment/guard.ts';
import { recordedAddresses } from '../attachment/network-config.ts';
import { layoutOf } from '../attachment/records.ts';
import { aliasOf, cutError, hostLinkName, isNative } from '../host/host-link.ts';
import { ownerOf } from '../network/addresses.ts';
import type { Runtime } from '../network/runtime.ts';

/** One teardown in one native call: of an attachment that was built natively, in the VM's own namespace. */

/** `null`: it takes more than that. `version`: of the record, where it may have become another's until the locks are taken. */
export function planDetachment(
  runtime: Runtime,
  vmId: string,
  record: CacheRecord,
  locks: AttachmentLocks,
  version: FileVersion | null,
): DetachPlan | null {
  const { anchors, cache } = runtime;
  const layout = isNative(record) && anchors.vmIdOf(record.netns) === vmId ? layoutOf(runtime, record) : null;
  const name = hostLinkName(record);
  if (layout === null || name === null) return null;
  const owner = ownerOf(record);
  const ips = recordedAddresses(record);
  return {
    ...{ locks, anchor: anchors.fileOf(vmId) },
    interfaces: [
      {
        hostLink: { name, alias: aliasOf(record), routed: layout.linkGroup !== null },
        guard: record.result && guardedPort(record, record.result),
        addresses: { directory: layout.addressDir, owner, ips },
        hostRoutes: layout.hostRoutes ? (ips ?? []) : [],
        record: {
          ...{ directory: cache.directory, name: recordName(record) },
          ...(version === null ? {} : { version }),
        },
      },
    ],
  };
}

/** Throws what was left undone; `null` where the record is another than the plan is about, and nothing was done. */
export async function detach(
  { anchors, binding }: Runtime,
  vmId: string,
  key: AttachmentKey,
  plan: DetachPlan,
  scope: Scope,
): Promise<DetachResult | null> {
  scope.step = 'detach';
  const result = await binding.detach(plan).catch((error: NativeError) => {
    throw kernelError(error.step ?? 'detach', error);
  });
  scope.took(result.steps);
  if (result.stale) return null;
  if (result.cut && result.errors.length === 0) return result;
  const [first] = result.errors;
  const [{ hostLink }] = plan.interfaces;
  if (!result.cut && first !== undefined) throw cutError(key, hostLink?.name ?? '', first);
  const errors: NetworkError[] = [];
  for (const error of result.errors) {
    const isForeign = error.reason === 'foreign';
    const failed = isForeign
      ? anchors.foreign(vmId, await anchors.state(vmId))
      : kernelError(error.step ?? 'detach', error);
    if (failed instanceof NetworkError) errors.push(failed);
  }
  if (errors.length > 0) throw incomplete(vmId, errors);
  return result;
}
