import { atStep } from '../../native/kernel-error.ts';
import type { AnchorState } from '../../native/sys.ts';
import { claimsNothing, containerIdOf } from '../host/anchor.ts';
import { addressStoreOf, ipsOf, ownerOf } from '../network/addresses.ts';
import type { Runtime } from '../network/runtime.ts';
import { keyOf } from './records.ts';

/**
 * Whether the lock's file of a VM without a record leads to nothing, and may go: neither to a namespace nor to an address, which
 * a setup that was killed has left.
 */
export async function isSpent(runtime: Runtime, vmId: string, state: AnchorState): Promise<boolean> {
  if (!claimsNothing(state)) return false;
  const { binding, network } = runtime;
  const directory = addressStoreOf(network);
  if (directory === null) return true;
  const owner = ownerOf(keyOf(runtime, containerIdOf(vmId, state)));
  return (await atStep('reservation', () => ipsOf(binding, directory, owner))).length === 0;
}
