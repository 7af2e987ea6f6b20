import { NetworkError, withRemedy } from '../../errors.ts';
import type { Scope } from '../../operation.ts';
import type { Difference, RepairReport } from '../../types.ts';
import { viewHost } from '../attachment/host-view.ts';
import { vmIdOf } from '../attachment/records.ts';
import type { Undoing } from '../attachment/undoing.ts';
import { inhabitedNamespaces } from '../host/inhabited.ts';
import type { Runtime } from '../network/runtime.ts';
import { type Lost, PartialVm, partialVms } from './partial.ts';
import { underLocks } from './recover.ts';

/** What of partial VMs can be put back. All else is left as it is: who may be gone is for `teardown`, `gc` and `open` to say. */

type Failed = RepairReport['failed'][number] & { readonly vmId: string };

/** `only`: that VM alone; `null`: all. */
export async function restore(
  runtime: Runtime,
  undoing: Undoing,
  scope: Scope,
  only: string | null,
): Promise<Omit<RepairReport, 'ok'>> {
  scope.step = 'recovery';
  const view = await viewHost(runtime, { addresses: true });
  const vm = new PartialVm(runtime, undoing, view, inhabitedNamespaces(runtime.binding));
  const restored: string[] = [];
  const failed: Failed[] = [];
  const partial = partialVms(runtime, view).filter((vmId) => only === null || vmId === only);
  const unjudged = await underLocks(runtime, partial, scope, async (vmId, lock) => {
    const judged = await vm.restore(vmId, lock, scope);
    if (judged === 'restored') restored.push(vmId);
    if (typeof judged === 'string') return;
    if (judged.record === null && !(await vm.hasRest(vmId, judged.state))) return;
    // By it those who may remove the rest find it.
    [lock.spent, lock.kept] = [false, true];
    failed.push(failure(vmId, judged));
  });
  const recorded = new Set(view.ofNetwork.map((record) => vmIdOf(runtime, record)));
  for (const { vmId, error } of unjudged) {
    const subject = recorded.has(vmId) ? 'anchor' : 'record';
    failed.push({ vmId, subject, message: 'what of it is there could not be seen', error });
  }
  const message = 'the record, or the claim of the namespace, was lost';
  const byId = (a: { readonly vmId: string }, b: { readonly vmId: string }) => (a.vmId < b.vmId ? -1 : 1);
  return {
    repaired: restored.sort().map((vmId) => ({ vmId, subject: 'record', message })),
    failed: failed.sort(byId),
  };
}

function failure(vmId: string, { record }: Lost): Failed {
  const difference: Difference =
    record === null
      ? { subject: 'record', message: 'there is no record that can be read, and nobody uses what is there' }
      : { subject: 'anchor', message: `${record.netns} is gone, and its link with it` };
  const text = withRemedy('ERR_ATTACHMENT_LOST', `${vmId}: ${difference.message}`);
  const error = new NetworkError('ERR_ATTACHMENT_LOST', text, { vmId });
  return { vmId, ...difference, error };
}
