import { join } from 'node:path';
import { isJsonObject } from '../cni/json.ts';
import type { ConfList } from '../cni/types.ts';

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
