import { type ErrorCode, NetworkError } from '../errors.ts';
import { encodeMap, isJsonObject } from './json.ts';
import { isValidName } from './names.ts';
import { decodeConfList, decodePlugin, parseJson } from './protocol.ts';
import type { ConfList, PluginConf } from './types.ts';
import { effectiveVersion, knownVersions, negotiateVersion, parseVersion } from './version.ts';

/** Reading configurations: text in, a valid list or a NetworkError out. */

function invalid(code: ErrorCode, source: string, problem: string): NetworkError {
  return new NetworkError(code, `${source}: ${problem}`, { path: source });
}

function parse(text: string, source: string): unknown {
  const json = parseJson(text);
  if (!json.ok) throw invalid('ERR_CONFLIST_PARSE', source, `not JSON: ${json.problem}`);
  return json.value;
}

function assertFileName(source: string, key: string, type: string): void {
  if (!/[/\0]/.test(type)) return;
  const problem = `${key} is "${type}"; a plugin is named by its file name alone`;
  throw invalid('ERR_PLUGIN_NAME_INVALID', source, problem);
}

function checkPlugin(plugin: PluginConf, source: string, key: string): PluginConf {
  assertFileName(source, `${key}.type`, plugin.type);
  assertFileName(source, `${key}.ipam.type`, plugin.ipamType);
  return plugin;
}

function checkVersion(source: string, key: string, version: string): void {
  if (parseVersion(version) !== null) return;
  throw invalid(
    'ERR_CONFLIST_INVALID',
    source,
    `${key} "${version}" is no version: use ${knownVersions.at(-1)}`,
  );
}

function versionOf(source: string, cniVersion: string, cniVersions: readonly string[] | null): string {
  checkVersion(source, 'cniVersion', cniVersion);
  for (const version of cniVersions ?? []) checkVersion(source, 'cniVersions', version);
  const version = negotiateVersion(cniVersion, cniVersions);
  if (knownVersions.includes(effectiveVersion(version))) return version;
  const problem = `cniVersion "${version}" is none of ${knownVersions.join(', ')}`;
  throw invalid('ERR_VERSION_UNSUPPORTED', source, problem);
}

/**
 * A conflist. Its plugins may be empty where it has no such key: they are then in files of their own.
 * `source` names it in messages: its path, or what else it comes from.
 */
export function parseConfList(text: string, source: string): ConfList {
  const decoded = decodeConfList(parse(text, source));
  if (!decoded.ok) throw invalid('ERR_CONFLIST_INVALID', source, decoded.problem);
  const { name, cniVersion, cniVersions, plugins, disableCheck, disableGC, loadOnlyInlinedPlugins } =
    decoded.value;
  if (!isValidName(name)) {
    const problem = name === '' ? 'name is empty' : `name "${name}" has invalid characters`;
    throw invalid('ERR_CONFLIST_INVALID', source, problem);
  }
  if (plugins === null && loadOnlyInlinedPlugins) {
    throw invalid('ERR_CONFLIST_INVALID', source, 'loadOnlyInlinedPlugins is true and there are no plugins');
  }
  return {
    name,
    cniVersion: versionOf(source, cniVersion, cniVersions),
    disableCheck,
    disableGc: disableGC,
    loadOnlyInlinedPlugins,
    plugins: (plugins ?? []).map((plugin, index) => checkPlugin(plugin, source, `plugins[${index}]`)),
    text,
  };
}

/** One plugin in a file of its own. */
export function parsePlugin(text: string, source: string): PluginConf {
  const decoded = decodePlugin(parse(text, source));
  if (!decoded.ok) throw invalid('ERR_CONFLIST_INVALID', source, decoded.problem);
  return checkPlugin(decoded.value, source, 'plugin');
}

/** A configuration from before there were lists: a plugin that carries the network's name, made a list of one. */
export function parseSingleConf(text: string, source: string): ConfList {
  const { raw, name } = parsePlugin(text, source);
  const [, cniVersion = ''] =
    Object.entries(raw).findLast(([key]) => key.toLowerCase() === 'cniversion') ?? [];
  return parseConfList(encodeMap({ name, cniVersion, plugins: [raw] }), source);
}

/** By content, for a file that was named: a list, or a single plugin's configuration. */
export function parseAnyConf(text: string, source: string): ConfList {
  const value = parse(text, source);
  const isSingle = isJsonObject(value) && 'type' in value && !('plugins' in value);
  return isSingle ? parseSingleConf(text, source) : parseConfList(text, source);
}
