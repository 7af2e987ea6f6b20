import { collect } from '../cni/collect.ts';
import type { CacheRecord } from '../cni/types.ts';
import type { NetworkError } from '../errors.ts';
import type { Scope } from '../operation.ts';
import type { GcReport } from '../types.ts';
import { isOurs } from './anchor.ts';
import { detachUnderLock } from './cni-detach.ts';
import { isAttached, vmIdOf } from './records.ts';
import type { CniRuntime } from './runtime.ts';

/** Removing what belongs to no VM that stays; the network's lock is held alone. */

class Collection {
  readonly #runtime: CniRuntime;
  readonly #keep: ReadonlySet<string>;
  readonly #scope: Scope;
  readonly #removed: string[] = [];
  readonly #failed: { readonly containerId: string | null; readonly error: Error }[] = [];

  constructor(runtime: CniRuntime, keep: ReadonlySet<string>, scope: Scope) {
    this.#runtime = runtime;
    this.#keep = keep;
    this.#scope = scope;
  }

  async run(): Promise<GcReport> {
    const { anchors, cache, network } = this.#runtime;
    const { records: everyones } = await cache.list();
    const records = everyones.filter((record) => record.network === network.name);
    const stale = records.filter((record) => !this.#keep.has(vmIdOf(this.#runtime, record)));
    for (const record of stale) await this.#remove(record);
    const known = new Set([...this.#keep, ...everyones.map(({ netns }) => anchors.vmIdOf(netns))]);
    for (const vmId of await anchors.list()) if (!known.has(vmId)) await this.#removePartial(vmId);
    await this.#tellPlugins(records.filter((record) => !stale.includes(record)));
    return { removed: this.#removed, failed: this.#failed };
  }

  async #remove(record: CacheRecord): Promise<void> {
    const vmId = vmIdOf(this.#runtime, record);
    await this.#counting(record.containerId, () =>
      this.#runtime.locks.withVmOnly(vmId, this.#scope, async (lock) => {
        await detachUnderLock(this.#runtime, { vmId, records: [record], lock, scope: this.#scope });
        return true;
      }),
    );
  }

  /** A namespace of ours without a record in any network: a setup that was killed. */
  async #removePartial(vmId: string): Promise<void> {
    const { anchors, locks } = this.#runtime;
    await this.#counting(vmId, () =>
      locks.withVmOnly(vmId, this.#scope, async (lock) => {
        const state = await anchors.state(vmId, lock);
        lock.spent = !state.claimed;
        if (!isOurs(state) || (await isAttached(this.#runtime, vmId))) return false;
        await detachUnderLock(this.#runtime, { vmId, records: [], lock, scope: this.#scope });
        return true;
      }),
    );
  }

  async #counting(containerId: string, work: () => Promise<boolean>): Promise<void> {
    const errors: NetworkError[] = [];
    await collect(errors, async () => {
      if (await work()) this.#removed.push(containerId);
    });
    this.#failed.push(...errors.map((error) => ({ containerId, error })));
  }

  async #tellPlugins(kept: readonly CacheRecord[]): Promise<void> {
    const valid = kept.map(({ containerId, ifName }) => ({ containerId, ifName }));
    const errors = await this.#runtime.chain.gc(valid, { signal: this.#scope.signal });
    this.#failed.push(...errors.map((error) => ({ containerId: null, error })));
  }
}

export function collectGarbage(
  runtime: CniRuntime,
  keep: ReadonlySet<string>,
  scope: Scope,
): Promise<GcReport> {
  return new Collection(runtime, keep, scope).run();
}
