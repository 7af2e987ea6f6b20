import type { PoolConfig } from '../settings.ts';
import type { Stop } from '../stop.ts';
import type { PoolState } from '../types.ts';
import type { AttachRequest } from './backend.ts';
import type { NativeRuntime } from './native-runtime.ts';
import { Pool } from './pool.ts';
import { fits } from './slot.ts';

/** All pools of a manager, one for each kind of slot: no kind ever serves another. */
export class Pools {
  readonly #pools: readonly Pool[];

  private constructor(pools: readonly Pool[]) {
    this.#pools = pools;
  }

  static async open(native: NativeRuntime, configs: readonly PoolConfig[]): Promise<Pools> {
    const opened: Pool[] = [];
    const pools = new Pools(opened);
    try {
      for (const config of configs) opened.push(await Pool.open(native, config));
    } catch (error) {
      await pools.close();
      throw error;
    }
    return pools;
  }

  get states(): readonly PoolState[] {
    return this.#pools.map(({ state }) => state);
  }

  get owners(): ReadonlySet<string> {
    return new Set(this.#pools.map(({ owner }) => owner));
  }

  /** `null`: no slot fits. */
  poolFor(request: AttachRequest): Pool | null {
    return this.#pools.find(({ profile }) => fits(profile, request)) ?? null;
  }

  /** Makes room for who needs an address more: that one, or any. Whether there was a slot to destroy. */
  async spare(address: string | null): Promise<boolean> {
    for (const pool of this.#pools) if (await pool.spare(address)) return true;
    return false;
  }

  /** A VM goes: its link is not to say whose it is any more. */
  unlabel(vmId: string): void {
    for (const pool of this.#pools) pool.unlabel(vmId);
  }

  /** Until what slots became says whose it is. */
  async labelled(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.labelled()));
  }

  /** `null`: none that wants the slot back that the VM was. */
  poolOf(vmId: string): Pool | null {
    return this.#pools.find((pool) => pool.slotOf(vmId) !== null && pool.wantsBack) ?? null;
  }

  /** A VM is no more what a slot became. */
  released(vmId: string): void {
    for (const pool of this.#pools) pool.released(vmId);
  }

  /** Until each has as many as it has at least. Rejects with what keeps a slot from being built. */
  async warmUp(stop: Stop): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.warmUp(stop)));
  }

  /** No slots while `work` runs; for good where it resolves. */
  async without<T>(work: () => Promise<T>): Promise<T> {
    try {
      await Promise.all(this.#pools.map((pool) => pool.hold()));
      const result = await work();
      await this.close();
      return result;
    } finally {
      for (const pool of this.#pools) pool.resume();
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.close()));
  }
}
