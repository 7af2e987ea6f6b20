import { randomBytes } from 'node:crypto';
import { collect } from '../../cni/collect.ts';
import type { NetworkError } from '../../errors.ts';
import type { GuardedPort } from '../../native/attachment.ts';
import type { NativeBinding } from '../../native/binding.ts';
import { atStep, isNativeError } from '../../native/kernel-error.ts';
import type { LockHandle } from '../../native/sys.ts';
import type { Scope } from '../../operation.ts';
import { cutHostLink, readHostLinks } from '../host/host-link.ts';
import { addressStoreOf, ipsOf, storedAddresses } from './addresses.ts';
import { removeHostRoutes } from './host-routes.ts';
import type { Runtime } from './runtime.ts';

/**
 * Who has the slots of a pool: a name of its own, which the addresses of its slots carry, and a lock of that name, held
 * as long as the process has slots. Where the lock is free its owner is dead. No vmId and no container begins with a dot.
 */
export interface PoolOwner {
  readonly name: string;
  /** Takes the lock again where its file was removed: without it nobody would know that these addresses are a pool's. */
  renew(): Promise<void>;
  /** `spent`: nothing of it is left. */
  release(spent: boolean): Promise<void>;
}

const prefix = '.pool-';
const idBytes = 8;
/** Covers the moment in which another process probes a lock that was just created. */
const lockTimeoutMs = 5_000;
/** How seldom it is looked whether the lock's file is still there. */
const lookMs = 1_000;

export function isPoolOwner(owner: string): boolean {
  return owner.startsWith(prefix);
}

/** Other networks share the directory. */
function lockName(owner: string, { network }: Runtime): string {
  return `${owner}-${network.name}`;
}

function directoryOf({ config }: Runtime): string {
  return `${config.stateDir}/locks`;
}

async function lock({
  binding,
  ...place
}: {
  readonly binding: NativeBinding;
  readonly directory: string;
  readonly name: string;
}): Promise<LockHandle | null> {
  try {
    return await binding.lockAcquire({ ...place, mode: 'exclusive', timeoutMs: 0 });
  } catch (error) {
    if (isNativeError(error) && error.reason === 'lock-held') return null;
    throw error;
  }
}

export async function newPoolOwner(runtime: Runtime): Promise<PoolOwner> {
  const { binding } = runtime;
  const name = `${prefix}${randomBytes(idBytes).toString('hex')}`;
  const place = { directory: directoryOf(runtime), name: lockName(name, runtime) };
  const acquire = () =>
    atStep('pool', () => binding.lockAcquire({ ...place, mode: 'exclusive', timeoutMs: lockTimeoutMs }));
  const drop = (handle: LockHandle, spent: boolean) =>
    atStep('lock', () => binding.lockRelease({ lock: handle, remove: spent, keep: !spent }));
  let handle = await acquire();
  let looked = performance.now();
  const renew = async () => {
    if (performance.now() - looked < lookMs) return;
    looked = performance.now();
    if ((await atStep('pool', () => binding.fileVersion(place))) !== null) return;
    const lost = handle;
    handle = await acquire();
    await drop(lost, false);
  };
  return { name, renew, release: (spent) => drop(handle, spent) };
}

/** Names of all that have a lock, dead or alive. */
async function ownersOf(runtime: Runtime): Promise<readonly string[]> {
  const names = await runtime.binding.fileList({ directory: directoryOf(runtime) });
  const length = prefix.length + 2 * idBytes;
  return names
    .filter((name) => name.startsWith(prefix) && name === lockName(name.slice(0, length), runtime))
    .map((name) => name.slice(0, length));
}

/** How long a store is waited for that somebody holds, and how much of the verb's time: the rest is for what matters more. */
const storePatienceMs = 5_000;
const storeShare = 1 / 4;

/**
 * Releases what dead processes had: the kernel has taken their namespaces, with all links in them, but for those that somebody is
 * in. What one has that can't be released stays, and keeps nobody from what the others have.
 */
export async function clearDeadPools(runtime: Runtime, scope: Scope): Promise<readonly NetworkError[]> {
  const errors: NetworkError[] = [];
  const directory = addressStoreOf(runtime.network);
  if (directory === null) return errors;
  for (const owner of await atStep('pool', () => ownersOf(runtime))) {
    const timeoutMs = Math.ceil(Math.min(storePatienceMs, scope.remainingMs * storeShare));
    await collect(errors, () => atStep('pool', () => clearPool(runtime, directory, owner, timeoutMs)));
  }
  return errors;
}

/**
 * Those whose links are left: whoever was a VM may be in the namespace of a slot that rested. What nothing guards can't be told from
 * another's.
 */
async function cutAll(
  { binding, config, network }: Runtime,
  owner: string,
  ports: readonly GuardedPort[],
): Promise<void> {
  if (ports.length === 0) return;
  const names = new Set(ports.map(({ link }) => link));
  const key = { network: network.name, containerId: owner, ifName: config.ifName };
  for (const link of (await readHostLinks(binding)).all) {
    if (names.has(link.name)) await cutHostLink(binding, key, link);
  }
}

async function clearPool(
  runtime: Runtime,
  directory: string,
  owner: string,
  timeoutMs: number,
): Promise<void> {
  const { binding, network } = runtime;
  const place = { directory: directoryOf(runtime), name: lockName(owner, runtime) };
  const handle = await lock({ binding, ...place });
  if (handle === null) return;
  let spent = false;
  try {
    // Its addresses lead to all else that it had, so they go last.
    const ips = await ipsOf(binding, directory, owner);
    const guarded = network.guarded ? await binding.guardList({}) : [];
    const ports = guarded.filter(({ bindings }) => bindings.some(({ ip }) => ips.includes(ip)));
    await cutAll(runtime, owner, ports);
    if (network.layout?.hostRoutes === true) await removeHostRoutes(binding, ips);
    for (const port of ports) await binding.guardRemove(port);
    await binding.addressRelease({ directory, owner, ips: null, timeoutMs });
    spent = true;
  } finally {
    await binding.lockRelease({ lock: handle, remove: spent, keep: !spent });
  }
}

/**
 * Whether another process, or manager, has slots of the network. Of one without a lock here, which keeps its locks in another state
 * directory, it can't be known whether it is dead.
 */
export async function hasOtherPools(runtime: Runtime, own: ReadonlySet<string>): Promise<boolean> {
  return atStep('pool', async () => {
    const owners = await ownersOf(runtime);
    for (const owner of owners) {
      if (own.has(owner)) continue;
      const place = { directory: directoryOf(runtime), name: lockName(owner, runtime) };
      const handle = await lock({ binding: runtime.binding, ...place });
      if (handle === null) return true;
      await runtime.binding.lockRelease({ lock: handle, keep: true });
    }
    const known = new Set([...own, ...owners]);
    const addresses = await storedAddresses(runtime.binding, runtime.network);
    return addresses.some(({ owner }) => isPoolOwner(owner) && !known.has(owner));
  });
}
