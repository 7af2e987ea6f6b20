import { KeyedMutex } from '../../async/mutex.ts';
import { collect } from '../../cni/collect.ts';
import { runtimeConfOf } from '../../cni/record.ts';
import type { CacheRecord } from '../../cni/types.ts';
import type { NetworkError } from '../../errors.ts';
import type { Scope } from '../../operation.ts';
import { makeStore } from '../attachment/lost-store.ts';
import { keyOf, recordsOfNetwork, vmIdOf } from '../attachment/records.ts';
import type { Undoing } from '../attachment/undoing.ts';
import type { HeldLock } from '../host/locks.ts';
import { attachmentsElsewhere } from '../network/elsewhere.ts';
import type { Runtime } from '../network/runtime.ts';

/** Undoing by the DEL of the plugins. Told of no namespace they release the address and leave links alone. */
export class ChainUndoing implements Undoing {
  readonly #runtime: Runtime;
  readonly #mutex = new KeyedMutex();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  async recorded(
    record: CacheRecord,
    netns: string,
    lock: HeldLock,
    scope: Scope,
  ): Promise<readonly NetworkError[]> {
    const errors = await this.#needStore(scope);
    if (errors.length > 0) return errors;
    scope.step = 'plugins';
    const chain = await this.#runtime.chainOf(record);
    const options = { vmId: vmIdOf(this.#runtime, record), lock: lock.handle, signal: scope.signal };
    return chain.del({ ...runtimeConfOf(record), netns }, record.result, options);
  }

  async partial(
    containerId: string,
    netns: string,
    lock: HeldLock,
    scope: Scope,
  ): Promise<readonly NetworkError[]> {
    const { anchors, chain } = this.#runtime;
    const errors = await this.#needStore(scope);
    if (errors.length > 0) return errors;
    scope.step = 'plugins';
    const target = {
      ...keyOf(this.#runtime, containerId),
      netns,
      args: [],
      capabilityArgs: {},
    };
    const vmId = anchors.vmIdOf(netns) ?? undefined;
    return chain.delUnproven(target, { vmId, lock: lock.handle, signal: scope.signal });
  }

  /** A DEL of host-local makes the store, which is then taken for whole. */
  async #needStore(scope: Scope): Promise<readonly NetworkError[]> {
    const errors: NetworkError[] = [];
    await collect(errors, () => this.#mutex.run('', scope, () => makeStore(this.#runtime, scope)));
    return errors;
  }

  /**
   * Without the lock, plugins of a process that died would free what was set up after they had been told what is to stay. They are
   * told nothing where somebody may have more than is known.
   */
  async unkept(lock: HeldLock, { signal }: Scope): Promise<readonly NetworkError[]> {
    const { chain } = this.#runtime;
    if (!chain.collects) return [];
    const { records } = await recordsOfNetwork(this.#runtime);
    const others = await attachmentsElsewhere(this.#runtime);
    if (others === null) return [];
    const valid = [...records, ...others].map(({ containerId, ifName }) => ({ containerId, ifName }));
    return chain.gc(valid, { lock: lock.handle, signal });
  }
}
