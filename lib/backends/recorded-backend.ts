import type { CacheRecord } from '../cni/types.ts';
import { NetworkError } from '../errors.ts';
import type { Scope } from '../operation.ts';
import type { Attachment, CheckReport, GcReport, VerifyReport } from '../types.ts';
import { verify } from '../verify.ts';
import { isOurs } from './anchor.ts';
import type { DetachRequest } from './backend.ts';
import { checkUnderLock, type Inspect } from './check.ts';
import { detachUnderLock } from './detach.ts';
import { collectGarbage } from './gc.ts';
import { attachmentOf } from './list.ts';
import type { HeldLock } from './locks.ts';
import { waitUntilFree } from './namespace-wait.ts';
import { dismantleNetwork } from './prepare.ts';
import { recordsOfNetwork, recordsOfVm } from './records.ts';
import type { Runtime } from './runtime.ts';
import type { Undoing } from './undoing.ts';

/** What backends have in common: all that is known from the records, whoever wrote them. */
export abstract class RecordedBackend {
  readonly network: string;
  protected readonly runtime: Runtime;
  protected readonly undoing: Undoing;
  readonly #inspect: Inspect;

  protected constructor(runtime: Runtime, undoing: Undoing, inspect: Inspect) {
    this.network = runtime.network.name;
    this.runtime = runtime;
    this.undoing = undoing;
    this.#inspect = inspect;
  }

  async detach({ vmId, wait }: DetachRequest, scope: Scope): Promise<void> {
    const { runtime, undoing } = this;
    const state = await this.#withRecords(vmId, scope, (lock, records) =>
      detachUnderLock(runtime, { undoing, vmId, records, lock, scope }),
    );
    if (wait && isOurs(state)) await waitUntilFree(runtime.binding, vmId, state, scope);
  }

  check(vmId: string, scope: Scope): Promise<CheckReport> {
    return this.#withRecords(vmId, scope, async (lock, records) => {
      if (records.length === 0) {
        throw new NetworkError('ERR_ATTACHMENT_NOT_FOUND', `${vmId} has no network ${this.network}`);
      }
      const differences = await checkUnderLock(this.runtime, this.#inspect, vmId, records, lock, scope);
      return { ok: differences.length === 0, differences };
    });
  }

  async list(): Promise<readonly Attachment[]> {
    const { records } = await recordsOfNetwork(this.runtime);
    return Promise.all(records.map((record) => attachmentOf(this.runtime, record)));
  }

  gc(keep: ReadonlySet<string>, scope: Scope): Promise<GcReport> {
    return this.runtime.locks.withNetwork('exclusive', scope, () =>
      collectGarbage(this.runtime, this.undoing, keep, scope),
    );
  }

  verify({ signal }: Scope): Promise<VerifyReport> {
    const { binding, bundledPluginDir, chainOptions, config, network } = this.runtime;
    const { plugins, cniVersion } = network.list;
    const ipamTypes = plugins.flatMap(({ ipamType }) => (ipamType === '' ? [] : [ipamType]));
    return verify({
      ...{ binding, bundledPluginDir, signal, cniVersion, backend: config.backend, chain: chainOptions },
      ...{ netnsDir: config.netnsDir, bridges: network.firewall.bridges, ipv6: network.firewall.ipv6 },
      pluginTypes: [...plugins.map(({ type }) => type), ...ipamTypes],
    });
  }

  remove(scope: Scope): Promise<void> {
    const { binding, locks, network } = this.runtime;
    return locks.withNetwork('exclusive', scope, async (lock) => {
      const { records } = await recordsOfNetwork(this.runtime);
      if (records.length > 0) {
        const ids = records.map(({ containerId }) => containerId).join(', ');
        throw new NetworkError('ERR_NETWORK_IN_USE', `network ${this.network} is still used by ${ids}`);
      }
      await dismantleNetwork(binding, network);
      lock.spent = true;
    });
  }

  /** A lock's file that claims no namespace says nothing, and goes whatever becomes of the work. */
  #withRecords<T>(
    vmId: string,
    scope: Scope,
    work: (lock: HeldLock, records: readonly CacheRecord[]) => Promise<T>,
  ): Promise<T> {
    const { anchors, locks } = this.runtime;
    return locks.withVm(vmId, scope, async (lock) => {
      lock.spent = !(await anchors.state(vmId, lock)).claimed;
      return work(lock, await recordsOfVm(this.runtime, vmId));
    });
  }
}
