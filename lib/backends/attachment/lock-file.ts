import { atStep } from '../../native/kernel-error.ts';
import type { AnchorState } from '../../native/sys.ts';
import { claimsNothing, containerIdOf } from '../host/anchor.ts';
import type { HeldLock } from '../host/locks.ts';
import { addressStoreOf, ipsOf, ownerOf } from '../network/addresses.ts';
import type { Runtime } from '../network/runtime.ts';
import { keyOf } from './records.ts';

/**
 * Whether the lock's file of a VM without a record may go: it leads to nothing, neither to a namespace nor to an address, which
 * a setup that was killed has left. Else it stays, as those who may remove the rest find it by that file.
 */
export async function judgeLockFile(
  runtime: Runtime,
  vmId: string,
  state: AnchorState,
  lock: HeldLock,
): Promise<void> {
  lock.spent = claimsNothing(state) && !(await hasAddress(runtime, containerIdOf(vmId, state)));
  lock.kept = !lock.spent;
}

async function hasAddress(runtime: Runtime, containerId: string): Promise<boolean> {
  const { binding, network } = runtime;
  const directory = addressStoreOf(network);
  if (directory === null) return false;
  const owner = ownerOf(keyOf(runtime, containerId));
  return (await atStep('reservation', () => ipsOf(binding, directory, owner))).length > 0;
}
