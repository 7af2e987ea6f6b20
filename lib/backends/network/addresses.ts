import { parseAddress } from '../../address.ts';
import { isJsonObject } from '../../cni/json.ts';
import type { AttachmentKey, ConfList } from '../../cni/types.ts';
import type { NativeBinding } from '../../native/binding.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { Scope } from '../../operation.ts';
import { addressDirOf } from './plugin-conf.ts';

/** Where the addresses of a network are kept, when host-local keeps them. */

/** `null`: another address plugin's, or none's. */
export function addressStoreOf({ list }: { readonly list: ConfList }): string | null {
  const raw = list.plugins.find(({ ipamType }) => ipamType === 'host-local')?.raw;
  const ipam = raw?.['ipam'];
  return isJsonObject(ipam) ? addressDirOf(ipam, list.name) : null;
}

/** An address's file holds its owner. */
const addressFileLimit = 4096;

/** All that are given away. What host-local keeps beside them is no address; an empty file has no owner. */
export async function storedAddresses(
  binding: Pick<NativeBinding, 'fileReadAll'>,
  network: { readonly list: ConfList },
): Promise<readonly { readonly ip: string; readonly owner: string }[]> {
  const directory = addressStoreOf(network);
  if (directory === null) return [];
  const files = await binding.fileReadAll({ directory, limit: addressFileLimit });
  return files.flatMap(({ name: ip, text }) => {
    const owner = text?.trim() ?? '';
    return parseAddress(ip) === null || owner === '' ? [] : [{ ip, owner }];
  });
}

/** Addresses that the owner has. */
export async function ipsOf(
  binding: Pick<NativeBinding, 'fileReadAll'>,
  directory: string,
  owner: string,
): Promise<readonly string[]> {
  const files = await binding.fileReadAll({ directory, limit: addressFileLimit });
  return files.flatMap(({ name, text }) => (text?.trim() === owner ? [name] : []));
}

/** Resolves with those that the owner had. `ips: null`: all of them. */
export async function releaseAddresses(
  binding: Pick<NativeBinding, 'addressRelease'>,
  plan: { readonly directory: string; readonly owner: string; readonly ips: readonly string[] | null },
  scope: Scope,
): Promise<readonly string[]> {
  scope.step = 'address';
  return atStep('address', () => binding.addressRelease({ ...plan, timeoutMs: scope.remainingMs }));
}

/** Of a store's lock, for a change that takes far less. */
const lockTimeoutMs = 2_000;

/**
 * Addresses without an owner. host-local makes an address's file and then writes into it, both under the store's lock:
 * whoever holds that lock and finds an empty one sees what is left of a host-local that was killed in between.
 */
export async function releaseOwnerless(
  binding: Pick<NativeBinding, 'addressRelease' | 'fileReadAll'>,
  network: { readonly list: ConfList },
): Promise<void> {
  const directory = addressStoreOf(network);
  if (directory === null) return;
  await atStep('address', async () => {
    const files = await binding.fileReadAll({ directory, limit: addressFileLimit });
    // As a rule there are none, and nobody is kept waiting.
    if (!files.some(({ name, text }) => parseAddress(name) !== null && text?.trim() === '')) return;
    await binding.addressRelease({ directory, owner: '', ips: null, timeoutMs: lockTimeoutMs });
  });
}

/** Who has an address, in host-local's words. */
export function ownerOf({ containerId, ifName }: Omit<AttachmentKey, 'network'>): string {
  return `${containerId}\r\n${ifName}`;
}
