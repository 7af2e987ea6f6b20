import type { AttachmentKey, CacheRecord } from '../cni/types.ts';
import type { DetachPlan } from '../native/attachment.ts';
import type { Scope } from '../operation.ts';
import type { Config, PoolConfig } from '../settings.ts';
import type { CheckReport, PoolState, RepairReport } from '../types.ts';
import { unguard } from './attachment/guard.ts';
import { wasSlot } from './attachment/network-config.ts';
import { keyOf, recordsOfVm } from './attachment/records.ts';
import type { AttachRequest, Detached, DetachRequest, Made, OwnVm } from './attachment/request.ts';
import type { Backend } from './backend.ts';
import { aliasOf, firstInterface, labelBare } from './host/host-link.ts';
import { type Attached, attach } from './native/attach.ts';
import { detach, planDetachment } from './native/detach.ts';
import { PinnedLinks } from './native/pinned-links.ts';
import { type NativeRuntime, nativeRuntime } from './native/runtime.ts';
import { Together } from './native/together.ts';
import { NativeUndoing } from './native/undo.ts';
import type { Host, Runtime } from './network/runtime.ts';
import { openBackend } from './open-backend.ts';
import { Pools } from './pool/pools.ts';
import { returnSlot } from './pool/slot.ts';
import { attachWithPool } from './pool/warm-attach.ts';
import { RecordedBackend } from './recorded-backend.ts';

/** Upper bound of remembered VMs; a forgotten one costs its teardown one record read. */
const remembered = 10_000;

type MadeHere = Pick<Attached, 'undo' | 'bridge'> & { readonly wasSlot: boolean };

/** What one call is to take away. */
interface Leaving {
  readonly key: AttachmentKey;
  readonly plan: DetachPlan;
  readonly bridge: string | null;
  readonly wasSlot: boolean;
}

function leavingOf(record: CacheRecord): Omit<Leaving, 'plan'> {
  return { key: record, bridge: firstInterface(record), wasSlot: wasSlot(record) };
}

/** The same attachments by netlink, in this process: no plugin is started, none is needed. */
export class NativeBackend extends RecordedBackend implements Backend {
  readonly name = 'native';
  readonly #pinnedLinks: PinnedLinks;
  readonly #together: Together;
  #native: NativeRuntime | null = null;
  /** By vmId: what was set up here, and not torn down here since. */
  readonly #made = new Map<string, MadeHere>();
  #pools: Pools | null = null;

  private constructor(runtime: Runtime) {
    super(runtime, new NativeUndoing(runtime), async () => []);
    this.#pinnedLinks = new PinnedLinks(runtime.binding);
    this.#together = new Together(runtime.binding);
  }

  static async open(host: Host, config: Config, scope: Scope): Promise<NativeBackend> {
    const build = (runtime: Runtime) => new NativeBackend(runtime);
    const backend = await openBackend(host, config, scope, build, async (backend) => {
      if (config.pools.length > 0) await backend.#openPools(config.pools, scope);
    });
    backend.#pools?.resume();
    return backend;
  }

  async #openPools(configs: readonly PoolConfig[], scope: Scope): Promise<void> {
    scope.step = 'pool';
    this.#native = nativeRuntime(this.runtime);
    this.#pools = await Pools.open(this.#native, configs, ({ name }) =>
      this.#pinnedLinks.watch({ name, alias: '', mayBeBare: false }),
    );
  }

  override get pools(): readonly PoolState[] {
    return this.#pools?.states ?? [];
  }

  override async warmUp(scope: Scope): Promise<void> {
    await this.#pools?.warmUp(scope);
  }

  override async close(): Promise<void> {
    await this.#pools?.close();
  }

  override async settle(): Promise<void> {
    await Promise.all([this.#together.settle(), super.settle()]);
  }

  async attach(request: AttachRequest, scope: Scope): Promise<Made> {
    this.#native ??= nativeRuntime(this.runtime);
    const { config, undo, bridge } =
      this.#pools === null
        ? await attach(this.#native, this.undoing, request, scope)
        : await attachWithPool(this.#native, this.#pools, this.undoing, request, scope);
    // Of another containerId, the other records of the VM are to be looked for.
    const wasSlot = config.origin === 'warm';
    if (request.containerId === request.vmId) this.#remember(request.vmId, { undo, bridge, wasSlot });
    else this.#made.delete(request.vmId);
    if (config.origin === 'cold') await this.runtime.leftConnections.forgotten(config.addresses);
    return { config, hostLink: undo.hostLink?.name ?? null };
  }

  /** Those that other processes tear down are never asked for. */
  #remember(vmId: string, made: MadeHere): void {
    this.#made.delete(vmId);
    this.#made.set(vmId, made);
    if (this.#made.size > remembered) this.#forgetOldest();
  }

  #forgetOldest(): void {
    const [oldest] = this.#made.keys();
    if (oldest !== undefined) this.#made.delete(oldest);
  }

  override forget({ vmId, hostLink }: OwnVm): void {
    const made = this.#made.get(vmId);
    if (made !== undefined && (made.undo.hostLink?.name ?? null) === hostLink) {
      this.#made.delete(vmId);
      this.#native?.bridges.left(made.bridge);
    }
    this.#pools?.departed(vmId, hostLink);
  }

  override async check(vmId: string, scope: Scope): Promise<CheckReport> {
    await this.#pools?.labelled();
    return super.check(vmId, scope);
  }

  override async repair(vmId: string | null, scope: Scope): Promise<RepairReport> {
    await this.#pools?.labelled();
    return super.repair(vmId, scope);
  }

  /** Nobody's slots may be left: they are ports of the bridge. */
  override async remove(scope: Scope): Promise<void> {
    const pools = this.#pools;
    scope.step = 'pool';
    await this.refuseOtherPools();
    const work = () => super.remove(scope);
    await (pools === null ? work() : pools.without(work));
  }

  protected override get poolOwners(): ReadonlySet<string> {
    return this.#pools?.owners ?? super.poolOwners;
  }

  override async detach(request: DetachRequest, scope: Scope): Promise<Detached> {
    const label = this.#pools?.leaving(request.vmId) ?? null;
    try {
      if (await this.#recycle(request, label === null, scope)) return { departure: 'recycled', netns: null };
      const detached = await this.#detachAny(request, scope);
      this.#pools?.released(request.vmId);
      return detached;
    } catch (error) {
      if (label !== null) this.#pools?.staying(request.vmId, label);
      throw error;
    }
  }

  /** Whether it was a slot's, and is a slot again. Who waits until its namespace is freed wants it gone. */
  async #recycle({ vmId, wait }: DetachRequest, labelled: boolean, scope: Scope): Promise<boolean> {
    const pool = wait ? null : (this.#pools?.poolOf(vmId) ?? null);
    const slot = pool?.slotOf(vmId) ?? null;
    if (this.#native === null || !this.#made.has(vmId) || pool === null || slot === null) return false;
    const returned = await returnSlot(this.#native, slot, { vmId, labelled }, scope);
    if (returned !== 'returned') return false;
    this.#made.delete(vmId);
    pool.returned(vmId, slot);
    return true;
  }

  async #detachAny(request: DetachRequest, scope: Scope): Promise<Detached> {
    const made = this.#made.get(request.vmId);
    const detached = await this.#detachMade(request, scope);
    if (detached !== null) return detached;
    const link = made?.undo.hostLink?.name ?? null;
    if (link !== null) await labelBare(this.runtime.binding, link, keyOf(this.runtime, request.vmId));
    const found = await this.#detachFound(request, scope);
    // A slot's return that failed at its very end has left neither a record nor an alias, which lead to it.
    if (made !== undefined) await unguard(this.runtime.binding, made.undo.guard);
    return found;
  }

  async #detachFound(request: DetachRequest, scope: Scope): Promise<Detached> {
    const detached = request.only === null ? await this.#detachRecorded(request, scope) : null;
    return detached ?? super.detach(request, scope);
  }

  /** `null`: not all that the VM has, which may be another's, who tears it down and sets it up again meanwhile. */
  async #detachRecorded(request: DetachRequest, scope: Scope): Promise<Detached | null> {
    const { runtime } = this;
    const { vmId } = request;
    const version = await runtime.cache.version(keyOf(runtime, vmId));
    const [record] = version === null ? [] : await recordsOfVm(runtime, vmId);
    if (record?.containerId !== vmId) return null;
    const plan = planDetachment(runtime, vmId, record, runtime.locks.planOf(vmId, scope), version);
    if (plan === null) return null;
    return this.#detach(request, { ...leavingOf(record), plan }, scope);
  }

  /** `null`: not all that this backend had made for the VM. */
  async #detachMade(request: DetachRequest, scope: Scope): Promise<Detached | null> {
    const { vmId } = request;
    const { anchors, locks } = this.runtime;
    const made = this.#made.get(vmId);
    if (made === undefined) return null;
    this.#made.delete(vmId);
    const plan = {
      ...{ locks: locks.planOf(vmId, scope), anchor: anchors.fileOf(vmId) },
      interfaces: [made.undo] as const,
    };
    const { bridge, wasSlot } = made;
    return this.#detach(request, { key: keyOf(this.runtime, vmId), plan, bridge, wasSlot }, scope);
  }

  async #detach({ vmId, wait }: DetachRequest, leaving: Leaving, scope: Scope): Promise<Detached | null> {
    const { key, plan, bridge } = leaving;
    const work = (together: boolean) => detach(this.runtime, vmId, key, { ...plan, together }, scope);
    this.#leaveConnections(plan);
    // Whoever waits for the namespace waits for no other.
    const result = await (wait ? work(false) : this.#together.run(() => work(true)));
    if (result === null) return null;
    this.#leaveConnections(plan);
    this.#watchLink(leaving);
    this.#native?.bridges.left(bridge);
    return { departure: 'teardown', netns: result.netns };
  }

  #leaveConnections({ interfaces: [{ addresses }] }: DetachPlan): void {
    this.runtime.leftConnections.add(addresses?.ips ?? []);
  }

  #watchLink({ key, plan, wasSlot }: Leaving): void {
    const [{ hostLink }] = plan.interfaces;
    if (hostLink === null) return;
    this.#pinnedLinks.watch({ name: hostLink.name, alias: aliasOf(key), mayBeBare: wasSlot });
  }

  protected override removeRecorded(vmId: string, record: CacheRecord, scope: Scope): Promise<void> | null {
    const locks = this.runtime.locks.heldPlanOf(vmId, scope);
    // The network's lock is held alone: nobody sets it up again.
    const plan = planDetachment(this.runtime, vmId, record, locks, null);
    if (plan === null) return null;
    const leaving = { ...leavingOf(record), plan };
    this.#watchLink(leaving);
    const [link] = plan.interfaces;
    const rest = { ...plan, interfaces: [{ ...link, hostLink: null }] } as const;
    const work = () => detach(this.runtime, vmId, record, { ...rest, together: true }, scope);
    this.#leaveConnections(plan);
    return this.#together.run(work).then(() => {
      this.#leaveConnections(plan);
      this.#native?.bridges.left(leaving.bridge);
      this.#made.delete(vmId);
      this.#pools?.released(vmId);
    });
  }
}
