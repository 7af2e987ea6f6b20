import type { Stop } from '../async/stop.ts';
import { collect } from '../cni/collect.ts';
import type { CacheRecord } from '../cni/types.ts';
import { NetworkError } from '../errors.ts';
import type { NamespaceId } from '../native/sys.ts';
import { defaultLogger } from '../observe.ts';
import type { Scope } from '../operation.ts';
import type {
  Attachment,
  CheckReport,
  Difference,
  GcReport,
  PoolState,
  RecoveryReport,
  RepairReport,
  VerifyReport,
} from '../types.ts';
import type { VerifySubject } from '../verify/subject.ts';
import { type VerifyScope, verify } from '../verify/verify.ts';
import { departed, departedOrReplaced } from './attachment/departed.ts';
import { detachUnderLock } from './attachment/detach.ts';
import { listAttachments } from './attachment/list.ts';
import { judgeLockFile } from './attachment/lock-file.ts';
import { findStore, type Taken } from './attachment/lost-store.ts';
import { networkUsers } from './attachment/network-users.ts';
import { recordsOfNetwork, recordsOfVm, vmIdOf } from './attachment/records.ts';
import type { Detached, DetachRequest, OwnVm } from './attachment/request.ts';
import { isSameAttachment } from './attachment/same-attachment.ts';
import type { Undoing } from './attachment/undoing.ts';
import { claimsNothing, isOurs } from './host/anchor.ts';
import type { HeldLock } from './host/locks.ts';
import { Check, type InspectFurther } from './inspect/check.ts';
import { asDifference, textOf } from './inspect/finding.ts';
import { HostReading } from './inspect/host-reading.ts';
import { Repair } from './inspect/repair.ts';
import { repairNetwork } from './inspect/repair-network.ts';
import { ownerOf } from './network/addresses.ts';
import { unreachableSubnets } from './network/host-routes.ts';
import { clearDeadPools, hasOtherPools } from './network/pool-owner.ts';
import { dismantleNetwork } from './network/prepare.ts';
import type { Runtime } from './network/runtime.ts';
import { collectGarbage } from './recovery/gc.ts';
import { recover } from './recovery/recover.ts';
import { restore } from './recovery/restore.ts';

/** What backends have in common: all that is known from the records, whoever wrote them. */
export abstract class RecordedBackend {
  readonly network: string;
  #recovery: RecoveryReport = { removed: [], restored: [], failed: [] };
  protected readonly runtime: Runtime;
  protected readonly undoing: Undoing;
  readonly #further: InspectFurther;

  protected constructor(runtime: Runtime, undoing: Undoing, further: InspectFurther) {
    this.network = runtime.network.name;
    this.runtime = runtime;
    this.undoing = undoing;
    this.#further = further;
  }

  get recovery(): RecoveryReport {
    return this.#recovery;
  }

  async recover(scope: Scope): Promise<void> {
    this.#recovery = await recover(this.runtime, this.undoing, scope);
    const logger = this.runtime.config.logger ?? defaultLogger;
    for (const { vmId, error } of this.#recovery.failed) {
      const fields = { err: error, vmId, network: this.network };
      logger.warn(fields, `${vmId} could not be brought to order: ${error.message}`);
    }
    for (const error of await this.#clearDeadPools(scope)) {
      const fields = { err: error, network: this.network };
      logger.warn(fields, `what a dead process's pool had could not be released: ${error.message}`);
    }
  }

  #clearDeadPools(scope: Scope): Promise<readonly NetworkError[]> {
    scope.step = 'pool';
    return clearDeadPools(this.runtime, scope);
  }

  async detach({ vmId, only, own }: DetachRequest, scope: Scope): Promise<Detached> {
    const { runtime, undoing } = this;
    const state = await this.#withRecords(vmId, scope, async (lock, records) => {
      const isIt = only === null || (await isSameAttachment(runtime, vmId, only, records, lock));
      return isIt ? detachUnderLock(runtime, { undoing, vmId, records, lock, scope, own }) : null;
    });
    return { departure: 'teardown', netns: state !== null && isOurs(state) ? state : null };
  }

  untilFree(vmId: string, netns: NamespaceId | null, scope: Scope, closing: Stop): Promise<void> {
    return this.runtime.namespaceWait.untilFree(vmId, netns, scope, closing);
  }

  check(vmId: string, scope: Scope): Promise<CheckReport> {
    return this.#withRecords(vmId, scope, async (lock, records) => {
      if (records.length === 0) throw this.#notFound(vmId);
      const check = new Check(this.runtime, this.#further, new HostReading(this.runtime), lock, scope);
      const differences: Difference[] = [];
      for (const record of records) differences.push(...(await check.run(vmId, record)).map(asDifference));
      return { ok: differences.length === 0, differences };
    });
  }

  async repair(vmId: string | null, scope: Scope): Promise<RepairReport> {
    // A record that was lost is made again first, as when the network is opened.
    const restoration = await restore(this.runtime, this.undoing, scope, vmId);
    const reserved = await findStore(this.runtime, scope);
    const lost = new Set(restoration.failed.map((each) => each.vmId));
    const { records } = await recordsOfNetwork(this.runtime);
    const its = records.filter((record) => vmId === null || vmIdOf(this.runtime, record) === vmId);
    if (vmId !== null && its.length === 0 && !lost.has(vmId)) throw this.#notFound(vmId);
    const left = its.filter((record) => !lost.has(vmIdOf(this.runtime, record)));
    const repair = new Repair(this.runtime, this.#further, scope);
    const done = await (vmId === null || left.length === 0 ? repair.all(left) : repair.one(vmId, left));
    // Most of it went with the VMs.
    const rest = vmId === null ? await repairNetwork(this.runtime, scope) : { repaired: [], failed: [] };
    const known = new Set(done.failed.map(textOf));
    const more = rest.failed.filter((each) => !known.has(textOf(each)));
    const failed = [...restoration.failed, ...done.failed, ...more];
    const repaired = [
      ...restoration.repaired,
      ...this.#reserved(its, reserved),
      ...done.repaired,
      ...rest.repaired,
    ];
    return { ok: failed.length === 0, repaired, failed };
  }

  #reserved(records: readonly CacheRecord[], reserved: readonly Taken[]): RepairReport['repaired'] {
    const vmIds = new Map(records.map((record) => [ownerOf(record), vmIdOf(this.runtime, record)]));
    return reserved.flatMap(({ ip, owner }) => {
      const vmId = vmIds.get(owner);
      const message = `${ip} is not reserved`;
      return vmId === undefined ? [] : [{ vmId, subject: 'reservation' as const, message }];
    });
  }

  #notFound(vmId: string): NetworkError {
    return new NetworkError('ERR_ATTACHMENT_NOT_FOUND', `${vmId} has no network ${this.network}`);
  }

  list(scope: Scope): Promise<readonly Attachment[]> {
    return listAttachments(this.runtime, scope);
  }

  async gc(keep: ReadonlySet<string>, scope: Scope): Promise<GcReport> {
    const { removed, failed } = await this.runtime.locks.withNetwork('exclusive', scope, (lock) =>
      collectGarbage({
        ...{ runtime: this.runtime, undoing: this.undoing, keep, lock, scope },
        removeRecorded: (vmId, record) => this.removeRecorded(vmId, record, scope),
      }),
    );
    const errors: NetworkError[] = [];
    await collect(errors, async () => {
      errors.push(...(await this.#clearDeadPools(scope)));
    });
    return {
      removed,
      failed: [...failed, ...errors.map((error) => ({ vmId: null, containerId: null, error }))],
    };
  }

  /** `null`: by the common way. */
  protected removeRecorded(_vmId: string, _record: CacheRecord, _scope: Scope): Promise<void> | null {
    return null;
  }

  get pools(): readonly PoolState[] {
    return [];
  }

  async warmUp(_scope: Scope): Promise<void> {}

  departed(vms: readonly OwnVm[]): Promise<readonly OwnVm[]> {
    return departed(this.runtime, vms);
  }

  departedOrReplaced(vms: readonly OwnVm[]): Promise<readonly OwnVm[]> {
    return departedOrReplaced(this.runtime, vms);
  }

  forget(_vm: OwnVm): void {}

  async close(): Promise<void> {}

  settle(): Promise<void> {
    return this.runtime.leftConnections.settle();
  }

  verify(scope: Scope, what?: VerifyScope): Promise<VerifyReport> {
    scope.step = 'verify';
    const { signal } = scope;
    const { binding, bundledPluginDir, chain, chainOptions, config, network } = this.runtime;
    const { plugins, cniVersion } = network.list;
    const guard = network.firewall.group === undefined ? 'bridge' : 'routed';
    const ipamTypes = plugins.flatMap(({ ipamType }) => (ipamType === '' ? [] : [ipamType]));
    const subject: VerifySubject = {
      ...{ binding, bundledPluginDir, signal, cniVersion, backend: config.backend, chain: chainOptions },
      ...{ netnsDir: config.netnsDir, firewall: network.firewall, bridges: network.bridges },
      unreachable: unreachableSubnets(network),
      hostRoutes: network.layout?.hostRoutes ?? network.bridges.length === 0,
      status: config.backend === 'cni' ? (options) => chain.status(options) : null,
      guard: network.guarded ? guard : null,
      mostSlots: config.pools.reduce((sum, { max }) => sum + max, 0),
      recycles: config.pools.some(({ recycle }) => recycle),
      pluginTypes: [...plugins.map(({ type }) => type), ...ipamTypes],
    };
    return verify(subject, what);
  }

  remove(scope: Scope): Promise<void> {
    return this.runtime.locks.withNetwork('exclusive', scope, async (lock) => {
      const users = await networkUsers(this.runtime);
      if (users.length > 0) throw this.#inUse(users.join(', '));
      // Whoever opens a pool does so under the lock, too.
      await this.refuseOtherPools();
      await dismantleNetwork(this.runtime);
      lock.spent = true;
    });
  }

  protected get poolOwners(): ReadonlySet<string> {
    return new Set();
  }

  /** Their slots have no record that would tell of them. */
  protected async refuseOtherPools(): Promise<void> {
    if (await hasOtherPools(this.runtime, this.poolOwners)) throw this.#inUse('the pool of another manager');
  }

  #inUse(users: string): NetworkError {
    return new NetworkError('ERR_NETWORK_IN_USE', `network ${this.network} is still used by ${users}`);
  }

  /** A lock's file that leads to nothing goes whatever becomes of the work. */
  #withRecords<T>(
    vmId: string,
    scope: Scope,
    work: (lock: HeldLock, records: readonly CacheRecord[]) => Promise<T>,
  ): Promise<T> {
    const { anchors, locks } = this.runtime;
    return locks.withVm(vmId, scope, async (lock) => {
      const records = await recordsOfVm(this.runtime, vmId);
      const state = await anchors.state(vmId, lock);
      if (records.length > 0) lock.spent = claimsNothing(state);
      else await judgeLockFile(this.runtime, vmId, state, lock);
      return work(lock, records);
    });
  }
}
