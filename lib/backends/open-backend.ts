import type { Scope } from '../operation.ts';
import type { Config } from '../settings.ts';
import type { Backend } from './backend.ts';
import { resolveNetwork } from './network.ts';
import { ensureStateDirectories, prepareNetwork } from './prepare.ts';
import { type Host, Runtime } from './runtime.ts';
import { verifyAtOpen } from './verify-open.ts';

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
  await runtime.locks.withNetwork('shared', scope, () =>
    prepareNetwork(runtime, scope, async (bridges) => {
      runtime.bridges = bridges;
      await verifyAtOpen(config, () => backend.verify(scope));
      await backend.recover(scope);
      await start(backend);
    }),
  );
  return backend;
}
