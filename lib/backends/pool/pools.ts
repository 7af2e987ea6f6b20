import type { Stop } from '../../async/stop.ts';
import type { LinkLabel } from '../../native/slots.ts';
import type { PoolConfig } from '../../settings.ts';
import type { PoolState } from '../../types.ts';
import type { AttachRequest } from '../attachment/request.ts';
import type { NativeRuntime } from '../native/runtime.ts';
import { Pool } from './pool.ts';
import { fits, type Slot } from './slot.ts';

type Which = (slot: Slot) => boolean;

/** `null`: any slot will do. */
function whoHas(address: string | null): Which {
  return ({ addresses }) => address === null || addresses.some(({ ip }) => ip === address);
}

/** All pools of a manager, one for each kind of slot: no kind ever serves another. */
export class Pools {
  readonly #pools: readonly Pool[];
  #holders = 0;

  private constructor(pools: readonly Pool[]) {
    this.#pools = pools;
  }

  /** They have no slots until they {@link resume}. `pinned` is told of links that somebody's hold on their namespace may keep. */
  static async open(
    native: NativeRuntime,
    configs: readonly PoolConfig[],
    pinned: (hostLink: { readonly name: string }) => void,
  ): Promise<Pools> {
    const opened: Pool[] = [];
    const pools = new Pools(opened);
    try {
      for (const config of configs) opened.push(await Pool.open(native, config, pinned));
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

  /** Destroys a slot that has the address, or any: whether there was one that is ready or rests. */
  async spare(address: string | null): Promise<boolean> {
    const has = whoHas(address);
    for (const pool of this.#pools) {
      const slot = pool.takeToSpare(has);
      if (slot === null) continue;
      // It would take the address that comes free.
      for (const each of this.#pools) each.pauseBuilding();
      await this.#stopBuilding();
      await pool.spare(slot);
      return true;
    }
    return false;
  }

  /**
   * For a caller that could not get the address (or any): a slot being built or recycled may hold it. Resolves with whether
   * one may be free now.
   */
  async spareSoon(address: string | null, stop: Stop): Promise<boolean> {
    if (await this.spare(address)) return true;
    const hasGivenUp = await this.#stopBuilding();
    // What was given up too late is ready.
    if (await this.spare(address)) return true;
    if (hasGivenUp && address === null) return true;
    const settling = this.#pools.map((pool) => pool.settle(whoHas(address), stop));
    const hasSettled = (await Promise.all(settling)).some(Boolean);
    return (await this.spare(address)) || hasSettled || hasGivenUp;
  }

  /** Whether one was. */
  async #stopBuilding(): Promise<boolean> {
    return (await Promise.all(this.#pools.map((pool) => pool.stopBuilding()))).some(Boolean);
  }

  /** A VM goes: its link is not to say whose it is any more. What it would have said, where it is certain that it does not. */
  leaving(vmId: string): LinkLabel | null {
    return this.#pools.map((pool) => pool.leaving(vmId)).find((label) => label !== null) ?? null;
  }

  /** It has not gone. */
  staying(vmId: string, label: LinkLabel): void {
    for (const pool of this.#pools) pool.staying(vmId, label);
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

  /** A VM is gone by another's hand; it may be what another slot became meanwhile. */
  departed(vmId: string, hostLink: string | null): void {
    for (const pool of this.#pools) {
      if (pool.slotOf(vmId)?.names.hostLink === hostLink) pool.released(vmId);
    }
  }

  /** Until each has as many as it has at least. Rejects with what keeps a slot from being built. */
  async warmUp(stop: Stop): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.warmUp(stop)));
  }

  /** No slots while `work` runs, or another of its kind; for good where it resolves. */
  async without<T>(work: () => Promise<T>): Promise<T> {
    this.#holders += 1;
    try {
      await Promise.all(this.#pools.map((pool) => pool.hold()));
      const result = await work();
      await this.close();
      return result;
    } finally {
      this.#holders -= 1;
      if (this.#holders === 0) this.resume();
    }
  }

  resume(): void {
    for (const pool of this.#pools) pool.resume();
  }

  async close(): Promise<void> {
    await Promise.all(this.#pools.map((pool) => pool.close()));
  }
}
