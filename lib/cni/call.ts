import { NetworkError } from '../errors.ts';
import type { NativeBinding } from '../native/binding.ts';
import type { NativeError } from '../native/error.ts';
import type { LockHandle } from '../native/sys.ts';
import { type Environment, pluginEnvironment } from './environment.ts';
import { findPlugin } from './find.ts';
import { nativeFailure } from './native-failure.ts';
import { callPlugin, type PluginEvent, type PluginRunner } from './plugin.ts';
import type { Command, RuntimeConf } from './types.ts';

/** The part of the native binding that a chain needs; unit tests put a stand-in in its place. */
export type ChainRunner = PluginRunner & Pick<NativeBinding, 'fileFind' | 'isHostNamespace'>;

export interface ChainOptions {
  readonly runner: ChainRunner;
  /** Searched in this order; also the plugins' CNI_PATH, where they look for their IPAM plugin. */
  readonly pluginDirs: readonly string[];
  /** For each plugin by itself. */
  readonly timeoutMs: number;
  /** What plugins inherit; this process's own by default. */
  readonly environment?: Environment;
  readonly onPlugin?: (event: PluginEvent) => void;
}

export interface RunOptions {
  /** For what is told of each run. */
  readonly vmId?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /** The vmId's lock, or for GC the network's: every plugin inherits it. */
  readonly lock?: LockHandle | undefined;
}

export interface ChainCall {
  readonly type: string;
  readonly command: Exclude<Command, 'VERSION'>;
  readonly target: RuntimeConf;
  readonly stdin: string;
}

/** Finds a plugin and runs it; resolves with what it printed. */
export async function callInChain(
  options: ChainOptions,
  { type, command, target, stdin }: ChainCall,
  { vmId, signal, lock }: RunOptions,
): Promise<string> {
  const { runner, pluginDirs, timeoutMs, environment = process.env, onPlugin } = options;
  const { path } = await findPlugin(runner, { type, command }, pluginDirs, signal);
  const env = pluginEnvironment(command, target, pluginDirs, environment);
  const { containerId } = target;
  const call = { type, command, vmId, containerId, path, env, stdin, timeoutMs, signal, lock };
  return callPlugin(runner, call, onPlugin);
}

/** Plugins would work in their own namespace, and only then notice that it is the wrong one. */
export async function refuseHostNamespace({ runner }: ChainOptions, { netns }: RuntimeConf): Promise<void> {
  if (netns === '') return;
  const isHost = await runner.isHostNamespace({ path: netns }).catch((error: NativeError) => {
    throw nativeFailure(error, { path: netns, step: 'anchor' });
  });
  if (!isHost) return;
  const message = `${netns} is the network namespace of this process itself`;
  throw new NetworkError('ERR_NETNS_HOST', message, { path: netns });
}
