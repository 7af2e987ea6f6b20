import { hash } from 'node:crypto';
import { NetworkError } from '../../errors.ts';
import type { NativeBinding } from '../../native/binding.ts';
import { atStep } from '../../native/kernel-error.ts';
import { defaultStateDirs } from '../../settings.ts';
import { canonical } from '../host/anchor.ts';
import { addressStoreOf } from './addresses.ts';
import type { Runtime } from './runtime.ts';

/**
 * Records that managers of the network, or programs on libcni, keep in other state directories: their VMs are theirs. The default
 * directories are known to all; any other is noted beside the network's addresses, which all share.
 */

const prefix = '.state-';
const pathLimit = 4096;
const defaults = new Set<string>(Object.values(defaultStateDirs));

export async function noteStateDir({ binding, config, network }: Runtime): Promise<void> {
  const directory = addressStoreOf(network);
  const { stateDir } = config;
  if (directory === null || defaults.has(stateDir)) return;
  const name = `${prefix}${hash('sha256', stateDir).slice(0, 16)}`;
  await atStep('state directory', () => binding.fileWrite({ directory, name, data: stateDir, mode: 0o644 }));
}

type Files = Pick<NativeBinding, 'fileList' | 'fileRead' | 'fileRemove'>;

async function notesIn(binding: Files, directory: string): Promise<readonly string[]> {
  return (await binding.fileList({ directory })).filter((name) => name.startsWith(prefix));
}

/** With the network. Whoever opens it again notes his own. */
export async function forgetStateDirs(binding: Files, network: Runtime['network']): Promise<void> {
  const directory = addressStoreOf(network);
  if (directory === null) return;
  await atStep('state directory', async () => {
    for (const name of await notesIn(binding, directory)) await binding.fileRemove({ directory, name });
  });
}

async function otherStateDirs({ binding, config, network }: Runtime): Promise<ReadonlySet<string>> {
  const directory = addressStoreOf(network);
  const others = new Set(defaults);
  for (const name of directory === null ? [] : await notesIn(binding, directory)) {
    const path = await binding.fileRead({ directory: directory ?? '', name, limit: pathLimit });
    if (path?.startsWith('/') === true) others.add(canonical(path));
  }
  others.delete(canonical(config.stateDir));
  return others;
}

/** A directory that this user may not read says nothing. */
function noneWherePrivate(error: unknown): readonly string[] {
  if (error instanceof NetworkError && error.code === 'ERR_PERMISSION') return [];
  throw error;
}

/** Names of their files. */
export async function recordsElsewhere(runtime: Runtime): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const stateDir of await atStep('state directory', () => otherStateDirs(runtime))) {
    const directory = `${stateDir}/results`;
    const listed = atStep('state directory', () => runtime.binding.fileList({ directory, follow: true }));
    for (const name of await listed.catch(noneWherePrivate)) names.add(name);
  }
  return names;
}
