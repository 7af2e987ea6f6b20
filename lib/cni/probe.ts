import { NetworkError } from '../errors.ts';
import type { ChainOptions } from './call.ts';
import { versionEnvironment } from './environment.ts';
import { type FoundPlugin, findPlugin } from './find.ts';
import { pluginError } from './outcome.ts';
import { callPlugin } from './plugin.ts';
import { decodeVersionReply, parseJson } from './protocol.ts';
import { versionStdin } from './stdin.ts';
import { currentVersion } from './version.ts';

/** Asking a plugin which versions of the specification it speaks. */

export interface PluginVersions extends FoundPlugin {
  readonly type: string;
  readonly versions: readonly string[];
}

/** What plugins from before VERSION answer. */
function knowsNoVersion(error: unknown): boolean {
  return error instanceof NetworkError && error.plugin?.msg === 'unknown CNI_COMMAND: VERSION';
}

function supportedVersions(type: string, stdout: string): readonly string[] {
  const name = { type, command: 'VERSION' } as const;
  const json = parseJson(stdout);
  const reply = json.ok ? decodeVersionReply(json.value) : json;
  if (!reply.ok) {
    throw pluginError('ERR_PLUGIN_OUTPUT_INVALID', name, `printed no VERSION reply: ${reply.problem}`);
  }
  const { cniVersion, supportedVersions: versions } = reply.value;
  if (versions.length > 0 && cniVersion !== '') return versions;
  if (cniVersion === '0.2.0') return ['0.1.0', '0.2.0'];
  const missing = cniVersion === '' ? 'cniVersion' : 'supportedVersions';
  throw pluginError('ERR_PLUGIN_OUTPUT_INVALID', name, `its VERSION reply lacks ${missing}`);
}

/** Rejects with the reason when the plugin is missing, can't be executed, or gives no sensible answer. */
export async function probePlugin(
  { runner, pluginDirs, timeoutMs, environment = process.env, onPlugin }: ChainOptions,
  type: string,
  signal?: AbortSignal,
): Promise<PluginVersions> {
  const name = { type, command: 'VERSION' } as const;
  const found = await findPlugin(runner, name, pluginDirs, signal);
  const env = versionEnvironment(environment);
  const stdin = versionStdin(currentVersion);
  try {
    const call = { ...name, path: found.path, env, stdin, timeoutMs, signal };
    const stdout = await callPlugin(runner, call, onPlugin);
    return { type, ...found, versions: supportedVersions(type, stdout) };
  } catch (error) {
    if (knowsNoVersion(error)) return { type, ...found, versions: ['0.1.0'] };
    throw error;
  }
}
