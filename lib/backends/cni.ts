import type { CacheRecord } from '../cni/types.ts';
import { NetworkError } from '../errors.ts';
import type { Scope } from '../operation.ts';
import type { Config } from '../settings.ts';
import type { Attachment, CheckReport, GcReport, NetworkConfig, VerifyReport } from '../types.ts';
import { verify } from '../verify.ts';
import type { AttachRequest, Backend, DetachRequest } from './backend.ts';
import { attachUnderLock } from './cni-attach.ts';
import { checkUnderLock } from './cni-check.ts';
import { detachUnderLock } from './cni-detach.ts';
import { collectGarbage } from './cni-gc.ts';
import { attachmentOf } from './cni-list.ts';
import type { HeldLock } from './locks.ts';
import { waitUntilFree } from './namespace-wait.ts';
import { resolveNetwork } from './network.ts';
import { dismantleNetwork, ensureStateDirectories, prepareNetwork } from './prepare.ts';
import { recordsOfNetwork, recordsOfVm } from './records.ts';
import { CniRuntime, type Host } from './runtime.ts';
import { verifyAtOpen } from './verify-open.ts';

/** Attachments by a chain of CNI plugins that ends in tc-redirect-tap. */
export class CniBackend implements Backend {
  readonly name = 'cni';
  readonly network: string;
  readonly #runtime: CniRuntime;

  private constructor(runtime: CniRuntime) {
    this.network = runtime.network.name;
    this.#runtime = runtime;
  }

  /** Reads and checks everything before it changes anything. */
  static async open(host: Host, config: Config, scope: Scope): Promise<CniBackend> {
    scope.step = 'configuration';
    const network = await resolveNetwork(host.binding, config);
    const runtime = new CniRuntime(host, config, network);
    scope.step = 'state directory';
    await ensureStateDirectories(host.binding, config.stateDir);
    const backend = new CniBackend(runtime);
    const accept = () => verifyAtOpen(config, () => backend.verify(scope));
    await runtime.locks.withNetwork('shared', scope, () =>
      prepareNetwork(host.binding, network, scope, accept),
    );
    return backend;
  }

  attach(request: AttachRequest, scope: Scope): Promise<NetworkConfig> {
    return this.#runtime.locks.withVm(request.vmId, scope, (lock) =>
      attachUnderLock(this.#runtime, request, lock, scope),
    );
  }

  async detach({ vmId, wait }: DetachRequest, scope: Scope): Promise<void> {
    const state = await this.#withRecords(vmId, scope, (lock, records) =>
      detachUnderLock(this.#runtime, { vmId, records, lock, scope }),
    );
    if (wait) await waitUntilFree(this.#runtime.binding, vmId, state, scope);
  }

  check(vmId: string, scope: Scope): Promise<CheckReport> {
    return this.#withRecords(vmId, scope, async (lock, records) => {
      if (records.length === 0) {
        throw new NetworkError('ERR_ATTACHMENT_NOT_FOUND', `${vmId} has no network ${this.network}`);
      }
      const differences = await checkUnderLock(this.#runtime, vmId, records, lock, scope);
      return { ok: differences.length === 0, differences };
    });
  }

  async list(): Promise<readonly Attachment[]> {
    const { records } = await recordsOfNetwork(this.#runtime);
    return Promise.all(records.map((record) => attachmentOf(this.#runtime, record)));
  }

  gc(keep: ReadonlySet<string>, scope: Scope): Promise<GcReport> {
    return this.#runtime.locks.withNetwork('exclusive', scope, () =>
      collectGarbage(this.#runtime, keep, scope),
    );
  }

  verify({ signal }: Scope): Promise<VerifyReport> {
    const { binding, bundledPluginDir, chainOptions, config, network } = this.#runtime;
    const { plugins, cniVersion } = network.list;
    const ipamTypes = plugins.flatMap(({ ipamType }) => (ipamType === '' ? [] : [ipamType]));
    return verify({
      ...{ binding, bundledPluginDir, signal, cniVersion, backend: this.name, chain: chainOptions },
      ...{ netnsDir: config.netnsDir, bridges: network.firewall.bridges, ipv6: network.firewall.ipv6 },
      pluginTypes: [...plugins.map(({ type }) => type), ...ipamTypes],
    });
  }

  remove(scope: Scope): Promise<void> {
    const { binding, locks, network } = this.#runtime;
    return locks.withNetwork('exclusive', scope, async (lock) => {
      const { records } = await recordsOfNetwork(this.#runtime);
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
    const { anchors, locks } = this.#runtime;
    return locks.withVm(vmId, scope, async (lock) => {
      lock.spent = !(await anchors.state(vmId, lock)).claimed;
      return work(lock, await recordsOfVm(this.#runtime, vmId));
    });
  }
}
