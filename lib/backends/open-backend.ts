import { AbortError, isNetworkError, NetworkError } from '../errors.ts';
import { Scope } from '../operation.ts';
import type { Config } from '../settings.ts';
import { fillStore, isStoreLost } from './attachment/lost-store.ts';
import { networkUsers } from './attachment/network-users.ts';
import type { Backend } from './backend.ts';
import { noteStateDir } from './network/elsewhere.ts';
import { asFirewallError } from './network/firewall.ts';
import { resolveNetwork } from './network/network.ts';
import { hasOtherPools } from './network/pool-owner.ts';
import { type Accept, ensureStateDirectories, Preparation } from './network/prepare.ts';
import { type Host, Runtime } from './network/runtime.ts';
import { verifyAtOpen } from './network/verify-open.ts';

/** How long an open that has failed waits for those who work on the network's VMs. */
const undoPatienceMs = 2_000;

/**
 * Reads and checks everything before it changes anything. `start`: may fail; the backend's `close` undoes it where what comes
 * after it does. What set-ups need besides the network is looked for first: what is not there for one manager is no reason to
 * change what others have.
 */
export async function openBackend<T extends Backend>(
  host: Host,
  config: Config,
  scope: Scope,
  build: (runtime: Runtime) => T,
  start: (backend: T) => Promise<void> = async () => {},
): Promise<T> {
  scope.step = 'configuration';
  const network = await resolveNetwork(host.binding, config);
  const runtime = new Runtime(host, config, network);
  scope.step = 'state directory';
  await ensureStateDirectories(host.binding, config.stateDir);
  const backend = build(runtime);
  scope.step = 'verify';
  await verifyAtOpen(config, () => backend.verify(scope, 'means'));
  const preparation = new Preparation(runtime, scope);
  const prepare = async () => {
    const accept: Accept = {
      recover: async (bridges) => {
        runtime.bridges = bridges;
        const wasLost = await isStoreLost(runtime);
        await backend.recover(scope);
        if (wasLost) await fillStore(runtime, scope);
      },
      start: async () => {
        scope.step = 'verify';
        await verifyAtOpen(config, () => backend.verify(scope, 'network'));
        await start(backend);
        await noteStateDir(runtime);
      },
    };
    try {
      await preparation.run(accept);
    } catch (error) {
      await backend.close();
      throw error;
    }
  };
  if (!(await besideOthers(runtime, preparation, scope, prepare))) {
    await alone(runtime, preparation, scope, prepare);
  }
  return backend;
}

/** Whether the network was there before. */
async function besideOthers(
  runtime: Runtime,
  preparation: Preparation,
  scope: Scope,
  prepare: () => Promise<void>,
): Promise<boolean> {
  try {
    return await runtime.locks.withNetwork('shared', scope, async () => {
      if (!(await isThere(runtime))) return false;
      await prepare();
      return true;
    });
  } catch (error) {
    throw await undone(runtime, preparation, error);
  }
}

/** Who makes a network has it alone until all is done: nobody finds it there, and then loses it. */
function alone(
  { locks }: Runtime,
  preparation: Preparation,
  scope: Scope,
  prepare: () => Promise<void>,
): Promise<void> {
  return locks.withNetwork('exclusive', scope, async (lock) => {
    try {
      await prepare();
    } catch (error) {
      lock.spent = true;
      throw await preparation.undone(error);
    }
  });
}

/** Of one whose firewall was flushed there may be VMs. */
async function isThere(runtime: Runtime): Promise<boolean> {
  const { binding, network } = runtime;
  const known = await binding.firewallList({}).catch((error: unknown) => {
    throw asFirewallError(network.name, error);
  });
  return known.includes(network.name) || (await networkUsers(runtime)).length > 0;
}

/** Unless others have come to need meanwhile what was missing of the network. */
async function undone(runtime: Runtime, preparation: Preparation, error: unknown): Promise<unknown> {
  if (!preparation.hasChanged) return error;
  const scope = new Scope({ operation: 'open', network: runtime.network.name, timeoutMs: undoPatienceMs });
  try {
    return await runtime.locks.withNetwork('exclusive', scope, async (lock) => {
      if ((await networkUsers(runtime)).length > 0 || (await hasOtherPools(runtime, new Set()))) return error;
      lock.spent = true;
      return preparation.undone(error);
    });
  } catch (failure) {
    // Whoever holds the lock needs the network.
    if (isNetworkError(failure, 'ERR_LOCK_TIMEOUT')) return error;
    if (error instanceof AbortError) return new AbortError(false, { cause: error.cause });
    if (!(error instanceof NetworkError)) return error;
    return error.with({ errors: [failure as Error] });
  } finally {
    scope.end();
  }
}
