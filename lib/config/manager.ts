import { isMainThread } from 'node:worker_threads';
import { harmless } from '../observe.ts';
import type { CloseSignal, NetworkManagerOptions } from '../options.ts';
import { type Config, defaultStateDirs, type PoolConfig } from '../settings.ts';
import type { TapOwner } from '../types.ts';
import { refusal } from '../verb.ts';
import { type ManagerOptions, managerSchema } from './manager-schema.ts';
import { generatedNetwork, ownConflist } from './network.ts';
import { invalid, parse, refuseTakenName } from './schema.ts';

/** What a TAP device belongs to unless told otherwise: never to nobody, whom it would be open to. */
export function ourselves(): TapOwner {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

function poolConfigs(options: ManagerOptions): readonly PoolConfig[] {
  const { backend, pool, ifName, antiSpoofing } = options;
  if (pool === undefined) return [];
  if (backend === 'cni') throw invalid('ERR_OPTION_INVALID', 'pool', 'is for the native backend alone');
  const kinds = new Set<string>();
  return [pool].flat().map(({ tapOwner = ourselves(), ...rest }) => {
    const { min, max, tapName, recycle = antiSpoofing, restMs = null } = rest;
    if (min > max) throw invalid('ERR_OPTION_INVALID', 'pool.min', 'is more than pool.max');
    refuseTakenName(tapName, ifName);
    const kind = `${tapName} ${tapOwner.uid} ${tapOwner.gid}`;
    if (kinds.has(kind))
      throw invalid('ERR_OPTION_INVALID', 'pool', 'has two with the same TAP name and owner');
    kinds.add(kind);
    if (recycle && !antiSpoofing) throw invalid('ERR_OPTION_INVALID', 'pool.recycle', 'needs antiSpoofing');
    return { min, max, tapName, tapOwner, recycle, restMs };
  });
}

function refuseUnheard(signals: readonly CloseSignal[]): void {
  if (isMainThread || signals.length === 0) return;
  const problem =
    'never come to a worker thread: let the main thread listen, and tell the worker to close its manager';
  throw invalid('ERR_OPTION_INVALID', 'signals', problem);
}

/** Throws a TypeError, or a NetworkError with the code of the rule that is broken: as `open` does. */
export function resolveConfig(input: unknown): Config {
  try {
    return resolve(input);
  } catch (error) {
    throw refusal({ operation: 'open', network: networkIn(input) }, error);
  }
}

/** As far as they say so, and whatever else is wrong with them. */
function networkIn(options: unknown): string | undefined {
  const network = (options as NetworkManagerOptions | null | undefined)?.network;
  return typeof network === 'string' ? network : undefined;
}

function resolve(input: unknown): Config {
  const options = parse(managerSchema, input, 'options');
  const { conflist, logger, verify, shutdown, signals, masquerade, allowLinkLocal, antiSpoofing } = options;
  const {
    backend,
    stateDir = defaultStateDirs[backend],
    pluginDirs,
    netnsDir,
    ifName,
    hostAccess,
    timeoutMs,
    pluginTimeoutMs,
  } = options;
  refuseUnheard(signals);
  return {
    source: conflist === undefined ? generatedNetwork(options) : ownConflist(options, conflist),
    ...{
      backend,
      pluginDirs,
      stateDir,
      netnsDir,
      ifName,
      hostAccess,
      allowLinkLocal,
      masquerade,
      antiSpoofing,
    },
    pools: poolConfigs(options),
    ...{ verify, shutdown, signals, timeoutMs, pluginTimeoutMs },
    logger: logger === undefined ? null : harmless(logger),
  };
}
