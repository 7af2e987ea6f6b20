import { Encoded, encodeMap, encodeStruct } from './json.ts';
import { resultText } from './result.ts';
import type { AnyResult, ConfList, JsonObject, PluginConf } from './types.ts';

/** What plugins read on stdin, to the byte what libcni gives them. */

/** An attachment that is to stay, as GC tells it to plugins. */
export interface ValidAttachment {
  readonly containerId: string;
  readonly ifName: string;
}

/** The list's name and version stand over the plugin's own. */
function base(list: ConfList, plugin: PluginConf): JsonObject {
  return { ...plugin.raw, name: list.name, cniVersion: list.cniVersion };
}

function runtimeConfig({ capabilities }: PluginConf, args: JsonObject): JsonObject | null {
  const wanted = capabilities.filter((capability) => Object.hasOwn(args, capability));
  if (wanted.length === 0) return null;
  return Object.fromEntries(wanted.map((capability) => [capability, args[capability]]));
}

/**
 * For ADD, CHECK and DEL. A `runtimeConfig` that the conflist holds is kept only where no capability argument replaces it.
 * libcni prints a result in the order of its fields, unless it goes through a map once more on the way to runtimeConfig.
 */
export function attachmentStdin(
  list: ConfList,
  plugin: PluginConf,
  capabilityArgs: JsonObject,
  prevResult: AnyResult | null,
): string {
  const config = base(list, plugin);
  const injected = runtimeConfig(plugin, capabilityArgs);
  const text = prevResult === null ? null : resultText(prevResult);
  if (injected === null) {
    return encodeMap(text === null ? config : { ...config, prevResult: new Encoded(text) });
  }
  const previous = text === null ? {} : { prevResult: JSON.parse(text) };
  return encodeMap({ ...config, ...previous, runtimeConfig: injected });
}

export function statusStdin(list: ConfList, plugin: PluginConf): string {
  return encodeMap(base(list, plugin));
}

/** `null`: nothing is said about what is valid. Both keys: version 1.1.0 was released with the wrong one. */
export function gcStdin(
  list: ConfList,
  plugin: PluginConf,
  valid: readonly ValidAttachment[] | null,
): string {
  if (valid === null) return statusStdin(list, plugin);
  const attachments = valid.map(({ containerId, ifName }) => ({ containerID: containerId, ifname: ifName }));
  return encodeMap({
    ...base(list, plugin),
    'cni.dev/valid-attachments': attachments,
    'cni.dev/attachments': attachments,
  });
}

/** What asks a plugin for its versions. */
export function versionStdin(cniVersion: string): string {
  return encodeStruct({ cniVersion });
}
