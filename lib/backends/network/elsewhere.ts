import { hash } from 'node:crypto';
import { basename, dirname } from 'node:path';
import { recordSizeLimit } from '../../cni/cache.ts';
import { recordName } from '../../cni/names.ts';
import { parseRecord } from '../../cni/record.ts';
import type { AttachmentKey } from '../../cni/types.ts';
import { isNetworkError } from '../../errors.ts';
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

interface Note {
  readonly name: string;
  readonly stateDir: string;
}

async function notesIn(binding: NativeBinding, directory: string | null): Promise<readonly Note[]> {
  if (directory === null) return [];
  const notes: Note[] = [];
  for (const name of await binding.fileList({ directory })) {
    if (!name.startsWith(prefix)) continue;
    const stateDir = await binding.fileRead({ directory, name, limit: pathLimit });
    if (stateDir?.startsWith('/') === true) notes.push({ name, stateDir });
  }
  return notes;
}

/**
 * With the network: its own, and those of directories that are gone. Whoever has another, and the network open, goes on in it once
 * somebody has made the network again.
 */
export async function forgetStateDirs({ binding, config, network }: Runtime): Promise<void> {
  const directory = addressStoreOf(network);
  if (directory === null) return;
  await atStep('state directory', async () => {
    for (const { name, stateDir } of await notesIn(binding, directory)) {
      const file = { directory: dirname(stateDir), name: basename(stateDir) };
      const isOthers = stateDir !== config.stateDir && (await binding.fileVersion(file)) !== null;
      if (!isOthers) await binding.fileRemove({ directory, name });
    }
  });
}

async function otherStateDirs({ binding, config, network }: Runtime): Promise<ReadonlySet<string>> {
  const notes = await notesIn(binding, addressStoreOf(network));
  const others = new Set([...defaults, ...notes.map(({ stateDir }) => canonical(stateDir))]);
  others.delete(canonical(config.stateDir));
  return others;
}

function filesIn({ binding }: Runtime, directory: string): Promise<readonly string[]> {
  return atStep('state directory', () => binding.fileList({ directory, follow: true }));
}

type Kept = 'results' | 'locks';

async function dirsElsewhere(runtime: Runtime, kept: Kept): Promise<readonly string[]> {
  const stateDirs = await atStep('state directory', () => otherStateDirs(runtime));
  return [...stateDirs].map((stateDir) => `${stateDir}/${kept}`);
}

/** Names of their files. A directory that this user may not read says nothing. */
async function filesElsewhere(runtime: Runtime, kept: Kept): Promise<ReadonlySet<string>> {
  const names = new Set<string>();
  for (const directory of await dirsElsewhere(runtime, kept)) {
    const listed = await unlessPrivate(() => filesIn(runtime, directory));
    for (const name of listed ?? []) names.add(name);
  }
  return names;
}

/** Names of the records' files. */
export function recordsElsewhere(runtime: Runtime): Promise<ReadonlySet<string>> {
  return filesElsewhere(runtime, 'results');
}

/**
 * Asked right before anything of a VM is removed: a setup there waits for no lock that is held here, has its lock's file from its first
 * step on, and its record last.
 */
export async function isKeptElsewhere(runtime: Runtime, key: AttachmentKey): Promise<boolean> {
  // In this order: a setup that ends meanwhile has its record, and keeps its lock's file.
  if ((await filesElsewhere(runtime, 'locks')).has(key.containerId)) return true;
  return (await recordsElsewhere(runtime)).has(recordName(key));
}

/** Whether setups may be under way that wait for no lock that is held here. */
export async function mayBeSetUpElsewhere(runtime: Runtime): Promise<boolean> {
  return (await filesElsewhere(runtime, 'locks')).size > 0;
}

/** Those of the network; `null`: there may be more, as not all can be read. */
export async function attachmentsElsewhere(runtime: Runtime): Promise<readonly AttachmentKey[] | null> {
  const { binding, network } = runtime;
  const found: AttachmentKey[] = [];
  for (const directory of await dirsElsewhere(runtime, 'results')) {
    const listed = await unlessPrivate(() => filesIn(runtime, directory));
    if (listed === null) return null;
    for (const name of listed.filter((each) => each.startsWith(`${network.name}-`))) {
      const plan = { directory, name, limit: recordSizeLimit, follow: true };
      const text = await atStep('state directory', () => binding.fileRead(plan));
      if (text === null) continue;
      const record = parseRecord(text, null);
      if (!record.ok) return null;
      if (record.value.network === network.name) found.push(record.value);
    }
  }
  return found;
}

async function unlessPrivate<T>(work: () => Promise<T>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (isNetworkError(error, 'ERR_PERMISSION')) return null;
    throw error;
  }
}
