import type { CacheRecord } from '../cni/types.ts';
import type { Scope } from '../operation.ts';
import type { Difference } from '../types.ts';
import { isOurs } from './anchor.ts';
import { findHostLink } from './host-link.ts';
import type { HeldLock } from './locks.ts';
import type { Runtime } from './runtime.ts';

/** What of an attachment is not as it should be: the namespace and the host's link, then what is inside. */

/** `IFLA_BRPORT_STATE` of a port that teardown, or someone else, has cut. */
const portDisabled = 0;

async function checkLink({ binding }: Runtime, record: CacheRecord): Promise<readonly Difference[]> {
  const link = await findHostLink(binding, record);
  const differs = (message: string): readonly Difference[] => [{ subject: 'link', message }];
  if (link === null) return differs('the link on the host is gone');
  if (!link.up) return differs(`${link.name} is down`);
  return link.portState === portDisabled ? differs(`${link.name} is a disabled port of its bridge`) : [];
}

/** Looks inside: what the backend that is asked built there. */
export type Inspect = (record: CacheRecord, lock: HeldLock, scope: Scope) => Promise<readonly Difference[]>;

export async function checkUnderLock(
  runtime: Runtime,
  inspect: Inspect,
  vmId: string,
  records: readonly CacheRecord[],
  lock: HeldLock,
  scope: Scope,
): Promise<readonly Difference[]> {
  const { anchors } = runtime;
  scope.step = 'anchor';
  const state = await anchors.state(vmId, lock);
  const differences: Difference[] = [];
  for (const record of records) {
    const isAnchor = anchors.vmIdOf(record.netns) !== null;
    const there = isAnchor ? isOurs(state) : (await anchors.stateAt(record.netns)).kind === 'namespace';
    scope.step = 'link';
    differences.push(...(await checkLink(runtime, record)));
    if (there) differences.push(...(await inspect(record, lock, scope)));
    else differences.push({ subject: 'anchor', message: `${record.netns} is not the VM's namespace` });
  }
  return differences;
}
