import { join } from 'node:path';
import { isJsonObject } from '../cni/json.ts';
import type { ConfList } from '../cni/types.ts';
import type { NativeBinding } from '../native/binding.ts';
import { atStep } from './kernel-error.ts';

/** Where the addresses of a network are kept, when host-local keeps them. */

const defaultDataDir = '/var/lib/cni/networks';

/** `null`: another address plugin's, or none's. */
export function addressStoreOf({ list }: { readonly list: ConfList }): string | null {
  const raw = list.plugins.find(({ ipamType }) => ipamType === 'host-local')?.raw;
  const ipam = raw?.['ipam'];
  if (!isJsonObject(ipam)) return null;
  const dataDir = ipam['dataDir'];
  return join(typeof dataDir === 'string' && dataDir !== '' ? dataDir : defaultDataDir, list.name);
}

/** Of a store's lock, for a change that takes far less. */
const lockTimeoutMs = 2_000;

/**
 * Addresses without an owner. host-local makes an address's file and then writes into it, both under the store's lock:
 * whoever holds that lock and finds an empty one sees what is left of a host-local that was killed in between.
 */
export async function releaseOwnerless(
  binding: Pick<NativeBinding, 'addressRelease' | 'fileList'>,
  network: { readonly list: ConfList },
): Promise<void> {
  const directory = addressStoreOf(network);
  if (directory === null) return;
  await atStep('address', async () => {
    if ((await binding.fileList({ directory })).length === 0) return;
    await binding.addressRelease({ directory, owner: '', ips: null, timeoutMs: lockTimeoutMs });
  });
}
