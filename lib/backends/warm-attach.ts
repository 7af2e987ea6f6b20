import { isNetworkError } from '../errors.ts';
import type { Scope } from '../operation.ts';
import type { AttachRequest } from './backend.ts';
import { isNativeError } from './kernel-error.ts';
import { type Attached, attach, attachError, isObstacle } from './native-attach.ts';
import type { NativeRuntime } from './native-runtime.ts';
import type { Pool } from './pool.ts';
import type { Pools } from './pools.ts';
import { nameSlot, type Slot } from './slot.ts';
import type { Undoing } from './undoing.ts';

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
    const attached = await warm(native, pool, slot, request, scope);
    if (attached === 'obstacle') break;
    if (attached !== 'spoilt') return attached;
  }
  return cold(native, pools, undoing, request, scope);
}

async function cold(
  native: NativeRuntime,
  pools: Pools,
  undoing: Undoing,
  request: AttachRequest,
  scope: Scope,
): Promise<Attached> {
  if (request.address !== null) await pools.spare(request.address);
  try {
    return await attach(native, undoing, request, scope);
  } catch (error) {
    // A slot may be in the midst of taking the address.
    const wanted = isNetworkError(error, 'ERR_ADDRESS_TAKEN') ? request.address : null;
    const isTaken = wanted !== null || isNetworkError(error, 'ERR_ADDRESSES_EXHAUSTED');
    if (!isTaken || !(await pools.spare(wanted))) throw error;
    return attach(native, undoing, request, scope);
  }
}

async function warm(
  native: NativeRuntime,
  pool: Pool,
  slot: Slot,
  request: AttachRequest,
  scope: Scope,
): Promise<Attached | 'obstacle' | 'spoilt'> {
  const naming = nameSlot(native, slot, request, scope);
  pool.beginNaming(naming);
  try {
    const attached = await naming;
    pool.named(slot, request, attached.record);
    return attached;
  } catch (error) {
    const { step = 'lock', reason } = isNativeError(error) ? error : {};
    if (step === 'lock') pool.giveBack(slot);
    else pool.discard(slot);
    if (reason === 'slot-spoilt') return 'spoilt';
    const failure = attachError(error);
    if (isObstacle(failure)) return 'obstacle';
    throw failure;
  } finally {
    pool.endNaming(naming);
  }
}
