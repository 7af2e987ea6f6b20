import { runtimeConfOf } from '../../cni/record.ts';
import type { CacheRecord } from '../../cni/types.ts';
import type { NetworkError } from '../../errors.ts';
import type { Scope } from '../../operation.ts';
import type { Difference } from '../../types.ts';
import { vmIdOf } from '../attachment/records.ts';
import type { HeldLock } from '../host/locks.ts';
import type { Runtime } from '../network/runtime.ts';

/** A plugin that says so is a difference; one that can't be asked is an error. */
function pluginDifference(error: NetworkError): Difference {
  if (error.code !== 'ERR_PLUGIN_FAILED' || error.plugin === undefined) throw error;
  const { type, msg = '', details } = error.plugin;
  return { subject: `plugin:${type}`, message: details === undefined ? msg : `${msg}; ${details}` };
}

/** What the plugins' CHECK finds: nothing where their version has none. */
export async function checkChain(
  runtime: Runtime,
  record: CacheRecord,
  lock: HeldLock,
  scope: Scope,
): Promise<readonly Difference[]> {
  scope.step = 'plugins';
  const chain = await runtime.chainOf(record);
  if (!chain.hasCheck) return [];
  const options = { vmId: vmIdOf(runtime, record), lock: lock.handle, signal: scope.signal };
  const errors = await chain.check(runtimeConfOf(record), record.result, options);
  return errors.map(pluginDifference);
}
