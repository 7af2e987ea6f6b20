import { channel, tracingChannel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import type { Departure, Logger, NetworkConfig, PoolState } from './types.ts';

/** What all of `tracing:vulcan-net:setup:*` and `tracing:vulcan-net:teardown:*` have; `result` or `error` join it by `asyncStart`. */
export interface VerbEvent {
  readonly network: string;
  readonly vmId: string;
  /** What the verb rejects with. */
  readonly error?: unknown;
}

/** What subscribers of `tracing:vulcan-net:setup:*` get. */
export interface SetupEvent extends VerbEvent {
  readonly result?: NetworkConfig;
}

/** What subscribers of `tracing:vulcan-net:teardown:*` get. */
export interface TeardownEvent extends VerbEvent {
  /** `recycled`: the pool has the slot. `null`: what was to go had gone before, and another attachment was in its place. */
  readonly result?: Departure | null;
}

/** What subscribers of `vulcan-net:plugin` get: one run of a plugin, well ended or not. */
export interface PluginRunEvent {
  readonly network: string;
  /** `null` where it was about the network as a whole; with a containerId, of what has neither record nor namespace any more. */
  readonly vmId: string | null;
  /** `null` where it was about the network as a whole. */
  readonly containerId: string | null;
  readonly type: string;
  readonly command: string;
  readonly durationMs: number;
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Whether it was killed because it took longer than `pluginTimeoutMs`. */
  readonly timedOut: boolean;
}

/**
 * What a pool tells. `ready`: a slot was built. `taken`: one left for a setup. `recycled`: slots that VMs have left are ready once more,
 * or went to set-ups that waited, which tells of all that do so together. `failed`: a slot could not be built, and was not just given up.
 * `destroyed`: slots were, together. What `stats()` alone has: that a slot which was taken became a VM's, or was given back by a
 * setup that failed; that a VM has left its slot, which rests; that a slot is about to be built, or to be destroyed.
 */
export type PoolChange = 'ready' | 'taken' | 'recycled' | 'failed' | 'destroyed';

/**
 * What subscribers of `vulcan-net:pool:ready`, `:taken`, `:recycled`, `:failed` and `:destroyed` get: the pool after that. A slot that is
 * taken is not among those that are ready any more, and not yet among those in use.
 */
export interface PoolEvent extends PoolState {
  readonly network: string;
}

/** What subscribers of `vulcan-net:pool:failed` get. */
export interface PoolFailedEvent extends PoolEvent {
  /** What kept the slot from being built. */
  readonly error: unknown;
}

const verbs = {
  setup: tracingChannel<unknown, VerbEvent>('vulcan-net:setup'),
  teardown: tracingChannel<unknown, VerbEvent>('vulcan-net:teardown'),
};
const plugins = channel('vulcan-net:plugin');
const pools = {
  ready: channel('vulcan-net:pool:ready'),
  taken: channel('vulcan-net:pool:taken'),
  recycled: channel('vulcan-net:pool:recycled'),
  failed: channel('vulcan-net:pool:failed'),
  destroyed: channel('vulcan-net:pool:destroyed'),
} satisfies Record<PoolChange, unknown>;

/** `NODE_DEBUG=vulcan-net` prints it. */
export const debug = debuglog('vulcan-net');

/** Nobody listening costs nothing. */
export function traced<T>(verb: keyof typeof verbs, event: VerbEvent, work: () => Promise<T>): Promise<T> {
  const tracing = verbs[verb];
  return tracing.hasSubscribers ? tracing.tracePromise(work, { ...event }) : work();
}

export function pluginRan(network: string, event: Omit<PluginRunEvent, 'network'>): void {
  debug('%s %s (%s) took %d ms', event.type, event.command, network, event.durationMs);
  if (!plugins.hasSubscribers) return;
  const { vmId, containerId, type, command, durationMs, exitCode, signal, timedOut } = event;
  const ended: PluginRunEvent = {
    ...{ network, vmId, containerId, type, command },
    ...{ durationMs, exitCode, signal, timedOut },
  };
  plugins.publish(ended);
}

export function poolChanged(change: PoolChange, event: () => PoolEvent | PoolFailedEvent): void {
  const listeners = pools[change];
  if (listeners.hasSubscribers) listeners.publish(event());
}

/**
 * One that keeps what it throws, or rejects with, from whoever logs. Methods are looked up at each call: another level may come
 * with others.
 */
export function harmless(logger: Logger): Logger {
  const tell = (error: unknown) => debug('the logger failed: %s', error);
  const method =
    (level: keyof Logger): Logger[keyof Logger] =>
    (fields, message) => {
      try {
        const returned: unknown = logger[level](fields, message);
        if (returned instanceof Promise) returned.catch(tell);
      } catch (error) {
        tell(error);
      }
    };
  return { debug: method('debug'), info: method('info'), warn: method('warn'), error: method('error') };
}

/** The default logger: what must not go unseen is a warning of the process. */
export const defaultLogger: Logger = {
  debug: (fields, message) => debug('%s %j', message, fields),
  info: (fields, message) => debug('%s %j', message, fields),
  warn: (_fields, message) => process.emitWarning(message, 'VulcanNetWarning'),
  error: (_fields, message) => process.emitWarning(message, 'VulcanNetWarning'),
};
