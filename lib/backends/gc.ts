import { collect } from '../cni/collect.ts';
import type { CacheRecord } from '../cni/types.ts';
import type { NetworkError } from '../errors.ts';
import type { Scope } from '../operation.ts';
import type { GcReport } from '../types.ts';
import { isOurs } from './anchor.ts';
import { detachUnderLock } from './detach.ts';
import { unguardMissing } from './guard.ts';
import type { HeldLock } from './locks.ts';
import { isAttached, vmIdOf } from './records.ts';
import type { Runtime } from './runtime.ts';
import type { Undoing } from './undoing.ts';

/** Removing what belongs to no VM that stays; the network's lock is held alone. */

class Collection {
  readonly #runtime: Runtime;
  readonly #undoing: Undoing;
  readonly #keep: ReadonlySet<string>;
  readonly #scope: Scope;
  readonly #removed: string[] = [];
  readonly #failed: { readonly containerId: string | null; readonly error: Error }[] = [];

  constructor(runtime: Runtime, undoing: Undoing, keep: ReadonlySet<string>, scope: Scope) {
    this.#runtime = runtime;
    this.#undoing = undoing;
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
    const kept = records.filter((record) => !stale.includes(record));
    const errors = [...(await this.#undoing.unkept(kept, this.#scope))];
    if (network.guarded) await collect(errors, () => unguardMissing(this.#runtime.binding));
    this.#failed.push(...errors.map((error) => ({ containerId: null, error })));
    return { removed: this.#removed, failed: this.#failed };
  }

  async #remove(record: CacheRecord): Promise<void> {
    const vmId = vmIdOf(this.#runtime, record);
    await this.#counting(record.containerId, () =>
      this.#runtime.locks.withVmOnly(vmId, this.#scope, async (lock) => {
        await this.#detach(vmId, [record], lock);
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
        await this.#detach(vmId, [], lock);
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

  #detach(vmId: string, records: readonly CacheRecord[], lock: HeldLock): Promise<unknown> {
    return detachUnderLock(this.#runtime, {
      ...{ vmId, records, lock, undoing: this.#undoing, scope: this.#scope },
    });
  }
}

export function collectGarbage(
  runtime: Runtime,
  undoing: Undoing,
  keep: ReadonlySet<string>,
  scope: Scope,
): Promise<GcReport> {
  return new Collection(runtime, undoing, keep, scope).run();
}
