import { runtimeConfOf } from '../cni/gc.ts';
import type { CacheRecord } from '../cni/types.ts';
import type { NetworkError } from '../errors.ts';
import type { Scope } from '../operation.ts';
import type { Difference } from '../types.ts';
import { isOurs } from './anchor.ts';
import { findHostLink } from './host-link.ts';
import type { HeldLock } from './locks.ts';
import type { CniRuntime } from './runtime.ts';

/** What of an attachment is not as it should be: the namespace and the host's link, then what the plugins find. */

/** `IFLA_BRPORT_STATE` of a port that teardown, or someone else, has cut. */
const portDisabled = 0;

async function checkLink({ binding }: CniRuntime, record: CacheRecord): Promise<readonly Difference[]> {
  const link = await findHostLink(binding, record);
  const differs = (message: string): readonly Difference[] => [{ subject: 'link', message }];
  if (link === null) return differs('the link on the host is gone');
  if (!link.up) return differs(`${link.name} is down`);
  return link.portState === portDisabled ? differs(`${link.name} is a disabled port of its bridge`) : [];
}

/** A plugin that says so is a difference; one that can't be asked is an error. */
function pluginDifference(error: NetworkError): Difference {
  if (error.code !== 'ERR_PLUGIN_FAILED' || error.plugin === undefined) throw error;
  const { type, msg = '', details } = error.plugin;
  return { subject: `plugin:${type}`, message: details === undefined ? msg : `${msg}; ${details}` };
}

async function checkChain(
  runtime: CniRuntime,
  record: CacheRecord,
  lock: HeldLock,
  scope: Scope,
): Promise<readonly Difference[]> {
  const chain = await runtime.chainOf(record);
  const options = { lock: lock.handle, signal: scope.signal };
  const errors = await chain.check(runtimeConfOf(record), record.result, options);
  return errors.map(pluginDifference);
}

export async function checkUnderLock(
  runtime: CniRuntime,
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
    scope.step = 'plugins';
    if (there) differences.push(...(await checkChain(runtime, record, lock, scope)));
    else differences.push({ subject: 'anchor', message: `${record.netns} is not the VM's namespace` });
  }
  return differences;
}
