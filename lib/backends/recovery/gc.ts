import { inTurns } from '../../async/in-turns.ts';
import { throwIfStopped } from '../../async/stop.ts';
import { collect } from '../../cni/collect.ts';
import { recordName } from '../../cni/names.ts';
import type { AttachmentKey, CacheRecord } from '../../cni/types.ts';
import type { NetworkError } from '../../errors.ts';
import type { Scope } from '../../operation.ts';
import type { GcReport, Removed } from '../../types.ts';
import { detachUnderLock } from '../attachment/detach.ts';
import { unguardMissing } from '../attachment/guard.ts';
import { type HostView, viewHost } from '../attachment/host-view.ts';
import { recordsOfNetwork, vmIdOf } from '../attachment/records.ts';
import type { Undoing } from '../attachment/undoing.ts';
import { aliasOf, cutHostLink } from '../host/host-link.ts';
import { inhabitedNamespaces } from '../host/inhabited.ts';
import type { HeldLock } from '../host/locks.ts';
import { addressStoreOf, releaseAddresses, releaseOwnerless } from '../network/addresses.ts';
import { isKeptElsewhere, mayBeSetUpElsewhere } from '../network/elsewhere.ts';
import { removeStaleRoutes } from '../network/host-routes.ts';
import { isPoolOwner } from '../network/pool-owner.ts';
import type { Runtime } from '../network/runtime.ts';
import { type Fate, graceMs, PartialVm, partialVms, removeLink } from './partial.ts';

/** Removing what belongs to no VM that stays; the network's lock is held alone, so that no setup of it is under way. */

const width = 32;

/** A backend's own, faster way to remove a recorded attachment that is cut; `null`: it has none for this one. */
export type RemoveRecorded = (vmId: string, record: CacheRecord, scope: Scope) => Promise<void> | null;

class Collection {
  readonly #runtime: Runtime;
  readonly #undoing: Undoing;
  readonly #removeRecorded: RemoveRecorded;
  readonly #keep: ReadonlySet<string>;
  readonly #lock: HeldLock;
  readonly #scope: Scope;
  readonly #view: HostView;
  readonly #removed: Removed[] = [];
  /** By alias: what has its record again. */
  #restored: ReadonlySet<string> = new Set();
  readonly #failed: GcReport['failed'][number][] = [];

  constructor({ runtime, undoing, removeRecorded, keep, lock, scope }: Garbage, view: HostView) {
    this.#runtime = runtime;
    this.#undoing = undoing;
    this.#removeRecorded = removeRecorded;
    this.#keep = keep;
    this.#lock = lock;
    this.#scope = scope;
    this.#view = view;
  }

  async run(): Promise<GcReport> {
    const stale = this.#view.ofNetwork.filter((record) => !this.#keep.has(vmIdOf(this.#runtime, record)));
    const cut = await this.#cut(stale);
    await inTurns(cut, width, (record) => this.#remove(record), this.#scope);
    await this.#partial(stale);
    await this.#links(stale);
    await this.#addresses();
    const errors: NetworkError[] = [];
    await collect(errors, async () => errors.push(...(await this.#undoing.unkept(this.#lock, this.#scope))));
    const { binding, network } = this.#runtime;
    if (network.guarded) {
      await collect(errors, async () => {
        await unguardMissing(this.#runtime, { alone: !(await mayBeSetUpElsewhere(this.#runtime)) });
      });
    }
    await collect(errors, () => removeStaleRoutes(binding, network));
    await collect(errors, () => releaseOwnerless(binding, network));
    this.#failed.push(...errors.map((error) => ({ vmId: null, containerId: null, error })));
    return { removed: this.#removed, failed: this.#failed };
  }

  /**
   * All of them before anything of one is removed: the kernel, while it frees a namespace, lets nobody change a link. What
   * can't be cut stays as it is.
   */
  async #cut(stale: readonly CacheRecord[]): Promise<readonly CacheRecord[]> {
    const done: CacheRecord[] = [];
    const cut = (record: CacheRecord) =>
      this.#counting(this.#idsOf(record), async () => {
        const link = this.#view.links.of(record);
        if (link !== null) await cutHostLink(this.#runtime.binding, record, link);
        done.push(record);
        return false;
      });
    await inTurns(stale, width, cut, this.#scope);
    return done;
  }

  async #remove(record: CacheRecord): Promise<void> {
    const vmId = vmIdOf(this.#runtime, record);
    await this.#counting(this.#idsOf(record), async () => {
      const isAnothers = this.#view.isAnothers(record);
      const done = isAnothers ? null : this.#removeRecorded(vmId, record, this.#scope);
      if (done === null) await this.#detach(vmId, record);
      else await done;
      return true;
    });
  }

  #detach(vmId: string, record: CacheRecord): Promise<unknown> {
    const { locks } = this.#runtime;
    const detachment = { vmId, records: [record], undoing: this.#undoing, scope: this.#scope };
    return locks.withVmOnly(vmId, this.#scope, (lock) =>
      detachUnderLock(this.#runtime, { ...detachment, lock }),
    );
  }

  /** What set-ups that were killed have left; of VMs that stay, too, unless they are in use. */
  async #partial(stale: readonly CacheRecord[]): Promise<void> {
    const { binding, locks } = this.#runtime;
    const done = new Set(stale.map((record) => vmIdOf(this.#runtime, record)));
    const vm = new PartialVm(this.#runtime, this.#undoing, this.#view, inhabitedNamespaces(binding));
    const left = partialVms(this.#runtime, this.#view).filter((vmId) => !done.has(vmId));
    let isWhole = false;
    const end = (vmId: string) =>
      this.#counting({ vmId, containerId: this.#view.containerIdOf(vmId) }, async () => {
        const fate: Fate = await locks.withVmOnly(vmId, this.#scope, (lock) =>
          this.#keep.has(vmId) ? vm.settle(vmId, lock, this.#scope) : vm.discard(vmId, lock, this.#scope),
        );
        isWhole ||= fate === 'restored';
        return fate === 'removed';
      });
    await inTurns(left, width, end, this.#scope);
    if (!isWhole) return;
    const { records } = await recordsOfNetwork(this.#runtime);
    this.#restored = new Set(records.map(aliasOf));
  }

  /** Links of ours that no record knows, and no VM that stays has. */
  async #links(stale: readonly CacheRecord[]): Promise<void> {
    const { network } = this.#runtime;
    const removed = new Set(stale.map((record) => this.#view.links.of(record)?.name));
    for (const { link, owner } of this.#view.links.owned) {
      if (owner.network !== network.name || removed.has(link.name)) continue;
      if (this.#stays(owner) || (await isKeptElsewhere(this.#runtime, owner))) continue;
      throwIfStopped(this.#scope, false);
      await this.#counting(this.#idsOfContainer(owner.containerId), async () => {
        await removeLink(this.#runtime, owner, link);
        return false;
      });
    }
  }

  /**
   * Addresses whose owner nothing else speaks of. As long as there is a container of which nobody here knows whose it is, it may be
   * one that has no lock here.
   */
  async #addresses(): Promise<void> {
    const { binding, config, network } = this.#runtime;
    const directory = addressStoreOf(network);
    if (directory === null) return;
    const { hasStrangers, locked } = this.#view;
    for (const { ip, owner, ageMs } of this.#view.addresses) {
      const [containerId = '', ifName = config.ifName] = owner.split('\r\n');
      // A pool's, which clearDeadPools knows dead from alive.
      if (isPoolOwner(owner)) continue;
      const key = { network: network.name, containerId, ifName };
      if (ageMs < graceMs || this.#stays(key) || (await this.#hasOlderRecord(key))) continue;
      if (hasStrangers && !locked.has(this.#view.vmIdOf(containerId))) continue;
      if (await isKeptElsewhere(this.#runtime, key)) continue;
      throwIfStopped(this.#scope, false);
      await this.#counting(this.#idsOfContainer(containerId), async () => {
        const released = await releaseAddresses(binding, { directory, owner, ips: [ip] }, this.#scope);
        return released.length > 0;
      });
    }
  }

  /** Another runtime's, of a form that does not say whose it is. */
  async #hasOlderRecord(key: AttachmentKey): Promise<boolean> {
    if (!this.#view.unreadable.includes(recordName(key))) return false;
    const record = await this.#runtime.cache.read(key).catch(() => null);
    return record !== null;
  }

  /** Of a VM to keep, or recorded, here or in another state directory. */
  #stays(key: AttachmentKey): boolean {
    if (this.#keep.has(this.#view.vmIdOf(key.containerId)) || this.#view.hasRecord(key)) return true;
    return this.#restored.has(aliasOf(key)) || this.#view.isElsewhere(key);
  }

  #idsOf(record: CacheRecord): Removed {
    return { vmId: vmIdOf(this.#runtime, record), containerId: record.containerId };
  }

  #idsOfContainer(containerId: string): Removed {
    return { vmId: this.#view.vmIdOf(containerId), containerId };
  }

  async #counting(ids: Removed, work: () => Promise<boolean>): Promise<void> {
    const { vmId, containerId } = ids;
    const isIt = (other: Removed) => other.vmId === vmId && other.containerId === containerId;
    const errors: NetworkError[] = [];
    await collect(errors, async () => {
      if ((await work()) && !this.#removed.some(isIt)) this.#removed.push(ids);
    });
    this.#failed.push(...errors.map((error) => ({ ...ids, error })));
  }
}

export interface Garbage {
  readonly runtime: Runtime;
  readonly undoing: Undoing;
  readonly removeRecorded: RemoveRecorded;
  readonly keep: ReadonlySet<string>;
  /** The network's. */
  readonly lock: HeldLock;
  readonly scope: Scope;
}

export async function collectGarbage(garbage: Garbage): Promise<GcReport> {
  const view = await viewHost(garbage.runtime, { addresses: true });
  throwIfStopped(garbage.scope, true);
  return new Collection(garbage, view).run();
}
