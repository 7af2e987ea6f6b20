import { expect, it, vi } from 'vitest';
import type { AttachRequest } from '../../../../lib/backends/attachment/request.ts';
import type { Undoing } from '../../../../lib/backends/attachment/undoing.ts';
import type { Attached } from '../../../../lib/backends/native/attach.ts';
import type { NativeRuntime } from '../../../../lib/backends/native/runtime.ts';
import type { Pools } from '../../../../lib/backends/pool/pools.ts';
import { attachWithPool } from '../../../../lib/backends/pool/warm-attach.ts';
import { NetworkError } from '../../../../lib/errors.ts';
import type { Scope } from '../../../../lib/operation.ts';

const { attach } = vi.hoisted(() => ({ attach: vi.fn() }));
vi.mock('../../../../lib/backends/native/attach.ts', async (original) => ({
  ...(await original<object>()),
  attach,
}));

const made = { config: 'made' } as unknown as Attached;
const exhausted = new NetworkError('ERR_ADDRESSES_EXHAUSTED', 'no address is left');

/** With a host that refuses so often, and pools that can make room each time, or never. */
async function cold({ refusals, spares = true }: { refusals: number; spares?: boolean }) {
  let left = refusals;
  attach.mockReset();
  attach.mockImplementation(() => (left-- > 0 ? Promise.reject(exhausted) : Promise.resolve(made)));
  const pools = { poolFor: () => null, spareSoon: async () => spares, released: () => {} };
  const request = { vmId: 'vm-1', address: null } as AttachRequest;
  const [native, undoing, scope] = [{} as NativeRuntime, {} as Undoing, {} as Scope];
  return attachWithPool(native, pools as unknown as Pools, undoing, request, scope);
}

// Which of the two is quicker, a kernel decides: only here it is certain.
it('asks again for the last address where a new slot was quicker, but not for ever', async () => {
  expect(await cold({ refusals: 3 })).toBe(made);
  expect(attach).toHaveBeenCalledTimes(4);
  await expect(cold({ refusals: 4 })).rejects.toBe(exhausted);
  expect(attach).toHaveBeenCalledTimes(4);
});

it('asks once where no slot can make room', async () => {
  await expect(cold({ refusals: 1, spares: false })).rejects.toBe(exhausted);
  expect(attach).toHaveBeenCalledTimes(1);
});
