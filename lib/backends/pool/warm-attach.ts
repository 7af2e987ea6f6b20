import { isNetworkError } from '../../errors.ts';
import { isNativeError } from '../../native/kernel-error.ts';
import type { Scope } from '../../operation.ts';
import type { AttachRequest } from '../attachment/request.ts';
import type { Undoing } from '../attachment/undoing.ts';
import { type Attached, attach, attachError, isObstacle } from '../native/attach.ts';
import type { NativeRuntime } from '../native/runtime.ts';
import type { Pool } from './pool.ts';
import type { Pools } from './pools.ts';
import { nameSlot, type Slot } from './slot.ts';

/** From a slot where one fits and is ready, or soon is; else by a setup of its own, for which slots make room. */
export async function attachWithPool(
  native: NativeRuntime,
  pools: Pools,
  undoing: Undoing,
  request: AttachRequest,
  scope: Scope,
): Promise<Attached> {
  const pool = pools.poolFor(request);
  while (pool !== null) {
    const slot = pool.take() ?? (await pool.takeSoon(scope));
    if (slot === null) break;
    const naming = nameSlot(native, slot, request, scope);
    pool.beginNaming(naming);
    try {
      const attached = await naming;
      pools.released(request.vmId);
      pool.named(slot, request, attached.record);
      return attached;
    } catch (error) {
      if (afterFailure(pool, slot, error) === 'obstacle') break;
    } finally {
      pool.endNaming(naming);
    }
  }
  const attached = await cold(native, pools, undoing, request, scope);
  // What the VM was before, if somebody else has torn it down.
  pools.released(request.vmId);
  return attached;
}

/** Of a setup for which slots make room. */
const attempts = 4;

async function cold(
  native: NativeRuntime,
  pools: Pools,
  undoing: Undoing,
  request: AttachRequest,
  scope: Scope,
): Promise<Attached> {
  if (request.address !== null) await pools.spare(request.address);
  for (let attempt = 1; ; attempt++) {
    try {
      return await attach(native, undoing, request, scope);
    } catch (error) {
      // A slot may be in the midst of taking the address, or was quicker to take the one that came free.
      const wanted = isNetworkError(error, 'ERR_ADDRESS_TAKEN') ? request.address : null;
      const isFull =
        isNetworkError(error, 'ERR_ADDRESSES_EXHAUSTED') || isNetworkError(error, 'ERR_BRIDGE_FULL');
      if ((wanted === null && !isFull) || attempt === attempts || !(await pools.spareSoon(wanted, scope)))
        throw error;
    }
  }
}

/** What stands in the way: of this slot, or of any. Throws what is no matter of slots. */
function afterFailure(pool: Pool, slot: Slot, error: unknown): 'spoilt' | 'obstacle' {
  const { step = 'lock', reason, undoErrors } = isNativeError(error) ? error : {};
  // A route is refused for what the host lacks, once nothing is the slot's fault.
  const isHosts = step === 'route' && reason === undefined;
  const isWhole = undoErrors === undefined && (step === 'lock' || step === 'firewall' || isHosts);
  if (isWhole) pool.giveBack(slot);
  else pool.discard(slot);
  if (reason === 'slot-spoilt') return 'spoilt';
  const failure = attachError(error);
  if (isObstacle(failure)) return 'obstacle';
  throw failure;
}
