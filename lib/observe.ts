import { channel, tracingChannel } from 'node:diagnostics_channel';
import { debuglog } from 'node:util';
import type { Logger } from './types.ts';

/** What subscribers of `tracing:vulcan-net:setup:*` and `tracing:vulcan-net:teardown:*` get; `result` or `error` join it. */
export interface VerbEvent {
  readonly network: string;
  readonly vmId: string;
}

/** What subscribers of `vulcan-net:plugin` get: one run of a plugin, well ended or not. */
export interface PluginRunEvent {
  readonly network: string;
  readonly type: string;
  readonly command: string;
  readonly durationMs: number;
  readonly exitCode: number | null;
}

const verbs = {
  setup: tracingChannel<unknown, VerbEvent>('vulcan-net:setup'),
  teardown: tracingChannel<unknown, VerbEvent>('vulcan-net:teardown'),
};
const plugins = channel('vulcan-net:plugin');

/** `NODE_DEBUG=vulcan-net` prints it. */
export const debug = debuglog('vulcan-net');

/** Nobody listening costs nothing. */
export function traced<T>(verb: keyof typeof verbs, event: VerbEvent, work: () => Promise<T>): Promise<T> {
  const tracing = verbs[verb];
  return tracing.hasSubscribers ? tracing.tracePromise(work, { ...event }) : work();
}

export function pluginRan(event: PluginRunEvent): void {
  debug('%s %s (%s) took %d ms', event.type, event.command, event.network, event.durationMs);
  if (plugins.hasSubscribers) plugins.publish(event);
}

/** For whom gives no logger: what must not go unseen is a warning of the process. */
export const defaultLogger: Logger = {
  debug: (fields, message) => debug('%s %j', message, fields),
  info: (fields, message) => debug('%s %j', message, fields),
  warn: (_fields, message) => process.emitWarning(message, 'VulcanNetWarning'),
  error: (_fields, message) => process.emitWarning(message, 'VulcanNetWarning'),
};
