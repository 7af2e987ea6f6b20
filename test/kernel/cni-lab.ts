import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { ResultCache } from '../../lib/cni/cache.ts';
import { Chain, type ChainOptions } from '../../lib/cni/chain.ts';
import { parseConfList } from '../../lib/cni/conflist.ts';
import { runtimeConfOf } from '../../lib/cni/record.ts';
import type { CacheRecord, ConfList, JsonObject, RuntimeConf } from '../../lib/cni/types.ts';
import { bundledPluginDirectory, loadNative } from '../../lib/native/load.ts';

/** The chain on the real binding, and what cnitool would call the same things. */

export const stateDir = '/var/lib/cni';
export const confDir = '/etc/cni/conf.d';

export const cache = new ResultCache(loadNative(), stateDir);

/** Real `bridge` and `host-local` from the given directories, our own `tc-redirect-tap` after them. */
export function chainOf(
  list: ConfList,
  pluginDirs: readonly string[],
  options: Partial<ChainOptions> = {},
): Chain {
  return new Chain(list, { ...optionsFor(pluginDirs), ...options });
}

export function optionsFor(pluginDirs: readonly string[]): ChainOptions {
  return {
    runner: loadNative(),
    pluginDirs: [...pluginDirs, bundledPluginDirectory()],
    timeoutMs: 60_000,
  };
}

/** Writes the conflist where cnitool is told to look for it, and reads it back as this runtime does. */
export async function installConfList(conflist: JsonObject & { readonly name: string }): Promise<ConfList> {
  const text = JSON.stringify(conflist);
  await mkdir(confDir, { recursive: true });
  await writeFile(`${confDir}/${conflist.name}.conflist`, text);
  return parseConfList(text, conflist.name);
}

/** The id that cnitool makes of a namespace's path. */
export function cnitoolId(netns: string): string {
  return `cnitool-${createHash('sha512').update(netns).digest('hex').slice(0, 20)}`;
}

export function targetOf(netns: string, change: Partial<RuntimeConf> = {}): RuntimeConf {
  return { containerId: cnitoolId(netns), netns, ifName: 'eth0', args: [], capabilityArgs: {}, ...change };
}

function recordOf(list: ConfList, target: RuntimeConf, result: CacheRecord['result']): CacheRecord {
  const { containerId, ifName, netns, args, capabilityArgs } = target;
  return { network: list.name, containerId, ifName, netns, args, capabilityArgs, config: list.text, result };
}

/** ADD and its record, as libcni's AddNetworkList. */
export async function addRecorded(chain: Chain, target: RuntimeConf): Promise<CacheRecord> {
  const record = recordOf(chain.list, target, await chain.add(target));
  await cache.write(record);
  return record;
}

/** DEL with what the record says, if there is one, and then without it, as libcni's DelNetworkList. */
export async function delRecorded(chain: Chain, target: RuntimeConf): Promise<readonly Error[]> {
  const { containerId, ifName } = target;
  const key = { network: chain.list.name, containerId, ifName };
  const record = await cache.read(key);
  const errors = await chain.del(record === null ? target : runtimeConfOf(record), record?.result ?? null);
  if (errors.length === 0) await cache.remove(key);
  return errors;
}
