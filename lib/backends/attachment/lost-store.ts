import { NetworkError } from '../../errors.ts';
import { setOf } from '../../ipam.ts';
import { atStep, isNativeError, kernelError } from '../../native/kernel-error.ts';
import type { Scope } from '../../operation.ts';
import { readHostLinks } from '../host/host-link.ts';
import { addressStoreOf, ownerOf } from '../network/addresses.ts';
import { noteStateDir } from '../network/elsewhere.ts';
import { knownLayout, type NativeLayout } from '../network/layout.ts';
import type { Runtime } from '../network/runtime.ts';
import { ownAddresses } from './guard.ts';
import { recordedAddresses } from './network-config.ts';
import { recordsOfNetwork } from './records.ts';

/**
 * host-local's directory of a network, which is made when the network is opened. Where somebody has removed it under its VMs,
 * whoever makes it again puts back first what they have: by their records, and by what is guarded at their links. Its lock comes
 * last, so that one of a process that was killed before is still lost.
 */

export interface Taken {
  readonly ip: string;
  readonly owner: string;
}

/** Made when all is in the directory, and by host-local before any other; nobody removes it. */
const lockFile = 'lock';

export async function isStoreLost({ binding, network }: Runtime): Promise<boolean> {
  const directory = addressStoreOf(network);
  if (directory === null) return false;
  return atStep('address', async () => (await binding.fileVersion({ directory, name: lockFile })) === null);
}

/** Does again what found no store, once it is there again; for whom holds no lock. */
export async function withStore<T>(runtime: Runtime, scope: Scope, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isOfStore(error)) throw error;
  }
  await findStore(runtime, scope);
  return work();
}

function isOfStore(error: unknown): boolean {
  const native = error instanceof NetworkError ? error.cause : error;
  return isNativeError(native) && native.reason === 'store-missing';
}

/** Nobody is given an address meanwhile. Resolves with what was put back. */
export async function findStore(runtime: Runtime, scope: Scope): Promise<readonly Taken[]> {
  if (!(await isStoreLost(runtime))) return [];
  return runtime.locks.withNetwork('exclusive', scope, () => makeStore(runtime, scope));
}

/** For callers that hold the network's lock. */
export async function makeStore(runtime: Runtime, scope: Scope): Promise<readonly Taken[]> {
  return (await isStoreLost(runtime)) ? fillStore(runtime, scope) : [];
}

/** Of one that is lost, or was a moment ago: records that have come back since may know of more. */
export async function fillStore(runtime: Runtime, scope: Scope): Promise<readonly Taken[]> {
  const { binding, network } = runtime;
  const path = addressStoreOf(network);
  if (path === null) return [];
  scope.step = 'address';
  const layout = network.layout ?? knownLayout(network.list, 'the conflist');
  const taken = layout === null ? [] : await takenOf(runtime);
  const again: Taken[] = [];
  for (const each of taken) {
    if (layout !== null && (await reserve(runtime, layout, each, scope))) again.push(each);
  }
  await atStep('address', () => binding.addressStoreMake({ directory: path }));
  await noteStateDir(runtime);
  return again;
}

async function takenOf(runtime: Runtime): Promise<readonly Taken[]> {
  const { binding, network } = runtime;
  const { records } = await recordsOfNetwork(runtime);
  const taken = records.flatMap((record) =>
    (recordedAddresses(record) ?? []).map((ip) => ({ ip, owner: ownerOf(record) })),
  );
  const links = await readHostLinks(binding);
  const keys = new Map(links.owned.map(({ link, owner }) => [link.name, owner]));
  for (const { link, bindings } of network.guarded
    ? await atStep('guard', () => binding.guardList({}))
    : []) {
    const key = keys.get(link);
    if (key?.network !== network.name) continue;
    const own = new Set(bindings.flatMap(({ mac }) => ownAddresses(mac, true)));
    for (const { ip } of bindings) if (!own.has(ip)) taken.push({ ip, owner: ownerOf(key) });
  }
  return taken;
}

/** Whether it was: somebody may have it by now, or the network have no such address any more. */
async function reserve(
  { binding }: Runtime,
  { sets, addressDir: directory }: NativeLayout,
  { ip, owner }: Taken,
  scope: Scope,
): Promise<boolean> {
  const found = setOf(sets, ip);
  if (found === undefined) return false;
  const requests = [{ set: found.index, ranges: found.ranges, excluded: [], address: ip }];
  try {
    await binding.addressReserve({ directory, owner, timeoutMs: scope.remainingMs, requests });
    return true;
  } catch (error) {
    if (isNativeError(error) && error.reason === 'address-taken') return false;
    throw kernelError('address', error);
  }
}
