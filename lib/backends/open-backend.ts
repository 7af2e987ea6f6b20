import { isNetworkError, NetworkError } from '../errors.ts';
import { Scope } from '../operation.ts';
import type { Config } from '../settings.ts';
import type { Backend } from './backend.ts';
import { fillStore, isStoreLost } from './lost-store.ts';
import { resolveNetwork } from './network.ts';
import { networkUsers } from './network-users.ts';
import { hasOtherPools } from './pool-owner.ts';
import { ensureStateDirectories, Preparation } from './prepare.ts';
import { type Host, Runtime } from './runtime.ts';
import { verifyAtOpen } from './verify-open.ts';

/** How long an open that has failed waits for those who work on the network's VMs. */
const undoPatienceMs = 2_000;

/** Reads and checks everything before it changes anything. `start`: the last thing that may fail, and undo the rest. */
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
  const preparation = new Preparation(runtime, scope);
  try {
    await runtime.locks.withNetwork('shared', scope, () =>
      preparation.run(async (bridges) => {
        runtime.bridges = bridges;
        await verifyAtOpen(config, () => backend.verify(scope));
        const wasLost = await isStoreLost(runtime);
        await backend.recover(scope);
        if (wasLost) await fillStore(runtime, scope);
        await start(backend);
      }),
    );
  } catch (error) {
    throw await undone(runtime, preparation, error);
  }
  return backend;
}

/** Unless others have come to need the network meanwhile: who found it prepared, and has given it to VMs. */
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
    if (isNetworkError(failure, 'ERR_LOCK_TIMEOUT') || !(error instanceof NetworkError)) return error;
    return error.with({ errors: [failure as Error] });
  } finally {
    scope.end();
  }
}
