import { setImmediate } from 'node:timers/promises';
import { inTurns } from './async/in-turns.ts';
import { KeyedMutex } from './async/mutex.ts';
import { Patience } from './async/patience.ts';
import { Running } from './async/running.ts';
import { Stopper, throwIfStopped } from './async/stop.ts';
import { Turns } from './async/turns.ts';
import type { AttachRequest, OwnVm } from './backends/attachment/request.ts';
import type { Backend } from './backends/backend.ts';
import { backends } from './backends/by-name.ts';
import type { Host } from './backends/network/runtime.ts';
import { ourselves, resolveConfig } from './config/manager.ts';
import { resolveGc, resolveSetup, resolveTeardown, resolveVerb, resolveVmId } from './config/verbs.ts';
import { misuse, NetworkError } from './errors.ts';
import { bundledPluginDirectory, loadNative } from './native/load.ts';
import { defaultLogger, traced } from './observe.ts';
import { inScope, type Scope } from './operation.ts';
import type {
  GcOptions,
  NetworkManagerOptions,
  SetupOptions,
  TeardownOptions,
  VerbOptions,
} from './options.ts';
import { OwnVms } from './own-vms.ts';
import type { Config } from './settings.ts';
import { onCloseSignals } from './signals.ts';
import { Statistics } from './statistics.ts';
import type {
  Attachment,
  CheckReport,
  Departure,
  GcReport,
  Logger,
  ManagerStats,
  NetworkConfig,
  RecoveryReport,
  RepairReport,
  VerifyReport,
} from './types.ts';
import { assertOpen, refusal, type Verb } from './verb.ts';

/** How many VMs are torn down at once when a manager closes. */
const closeWidth = 64;

/**
 * One network of this host, and the VMs on it. Any number of managers, in any number of processes, may share it. Besides the
 * errors listed with it, a verb may reject with `ERR_CLOSED`, `ERR_TIMEOUT`, AbortError, or, for misuse, a TypeError.
 */
export class NetworkManager implements AsyncDisposable {
  /** The network's name. */
  readonly network: string;
  readonly #backend: Backend;
  readonly #config: Config;
  readonly #logger: Logger;
  readonly #mutex = new KeyedMutex();
  readonly #closing = new Stopper();
  readonly #running = new Running();
  readonly #own: OwnVms;
  readonly #statistics = new Statistics();
  readonly #turns = new Turns();
  readonly #forgetSignals: () => void;
  #closed: Promise<void> | null = null;

  private constructor(backend: Backend, config: Config) {
    this.network = backend.network;
    this.#backend = backend;
    this.#config = config;
    this.#own = new OwnVms({ backend, mutex: this.#mutex, running: this.#running });
    this.#logger = config.logger ?? defaultLogger;
    this.#forgetSignals = onCloseSignals(config.signals, () => this.close());
  }

  /**
   * Checks the options, verifies that set-ups can succeed, and prepares the network (conflist, bridge, firewall,
   * forwarding). When it rejects, what it had prepared is undone, except forwarding, which others may need by then. Then it
   * cleans up what earlier processes left: {@link recovery} says what. Complete attachments stay, and are in `list()`.
   * `verb` is for `open` itself; its `timeoutMs` defaults to that of `options`, which every later verb has.
   *
   * @throws {NetworkError} the code of the option that is wrong, or of the step that failed.
   * @throws {AbortError} when the verb's `signal` aborts it, with `rolledBack`.
   */
  static async open(options: NetworkManagerOptions = {}, verb: VerbOptions = {}): Promise<NetworkManager> {
    const config = resolveConfig(options);
    const host = { binding: loadNative(), bundledPluginDir: bundledPluginDirectory() };
    return NetworkManager.openOn(host, config, resolveVerb(verb));
  }

  /** What `open` did about what earlier processes left on the host. */
  get recovery(): RecoveryReport {
    return this.#backend.recovery;
  }

  /** @internal With another addon than the one that was built: what unit tests run on. */
  static async openOn(host: Host, config: Config, options: VerbOptions = {}): Promise<NetworkManager> {
    const { signal, timeoutMs = config.timeoutMs } = options;
    const network = config.source.network ?? undefined;
    const verb = { operation: 'open', network, timeoutMs, signal } as const;
    const backend = await inScope<Backend>(verb, async (scope) => {
      throwIfStopped(scope, true);
      return backends[config.backend].open(host, config, scope);
    });
    return new NetworkManager(backend, config);
  }

  /**
   * Gives a VM its network: all or nothing.
   *
   * @throws {NetworkError} with `step` and `rolledBack`. `ERR_ATTACHMENT_EXISTS` when the VM has its network already;
   * `ERR_ADDRESSES_EXHAUSTED`, `ERR_ADDRESS_TAKEN`, `ERR_BRIDGE_FULL` when the network has no room for it;
   * `ERR_NETNS_FOREIGN` when somebody else's file is in the way; `ERR_TIMEOUT`, `ERR_LOCK_TIMEOUT`; `ERR_PLUGIN_*` where
   * plugins do the work, otherwise `ERR_KERNEL`, `ERR_PERMISSION`.
   * @throws {AbortError} when `signal` aborts it, with `step` and `rolledBack`.
   */
  async setup(vmId: string, options: SetupOptions = {}): Promise<NetworkConfig> {
    const { network } = this;
    const verb = { operation: 'setup', network, vmId } as const;
    const start = performance.now();
    try {
      assertOpen(verb, this.#closing);
      const wishes = resolveSetup(options, resolveVmId(vmId), this.#config.ifName);
      const net = await this.#inTurn(() => {
        const { containerId, mac, address, tapName, tapOwner, signal } = wishes;
        const { timeoutMs = this.#config.timeoutMs } = wishes;
        const request = { vmId, containerId, mac, address, tapName, tapOwner: tapOwner ?? ourselves() };
        const limits = { timeoutMs, signal, closing: this.#closing };
        const work = () => inScope({ ...verb, ...limits }, (scope) => this.#attach(request, scope));
        return traced('setup', { network, vmId }, work);
      });
      this.#statistics.setup(net.origin, performance.now() - start);
      return net;
    } catch (error) {
      throw this.#statistics.failed(refusal(verb, error));
    }
  }

  /**
   * Takes a VM off the network, whoever still holds its namespace, and releases everything it had. Idempotent; works for
   * VMs that other processes set up.
   *
   * @throws {NetworkError} `ERR_LINK_CUT`, with everything kept; `ERR_TEARDOWN_INCOMPLETE`, with all else undone; with
   * `wait: true` `ERR_NETNS_BUSY`; `ERR_TIMEOUT`, `ERR_LOCK_TIMEOUT`, `ERR_CLOSED`.
   */
  async teardown(vmId: string, options: TeardownOptions = {}): Promise<void> {
    return this.#teardown(vmId, options, null);
  }

  /** Sets up, runs `fn`, and tears down whatever it does. A teardown that fails is logged; it never hides what `fn` did. */
  async withNetwork<T>(
    vmId: string,
    fn: (net: NetworkConfig) => T | PromiseLike<T>,
    options: SetupOptions = {},
  ): Promise<T> {
    if (typeof fn !== 'function') throw misuse('ERR_INVALID_ARG_TYPE', 'fn is no function');
    const net = await this.setup(vmId, options);
    const own = this.#own.get(vmId);
    try {
      return await fn(net);
    } finally {
      if (own !== null) await this.#teardownOwn(own).catch((error: Error) => this.#log(vmId, error));
    }
  }

  /** What is missing on this host for set-ups to succeed, and what to do about it. */
  async verify(options: VerbOptions = {}): Promise<VerifyReport> {
    const given = () => resolveVerb(options);
    return this.#plain({ operation: 'verify' }, given, (scope) => this.#backend.verify(scope));
  }

  /**
   * Compares a VM's network with what its setup left. Backend `cni` also asks the plugins (from CNI 0.4.0 on).
   *
   * @throws {NetworkError} `ERR_ATTACHMENT_NOT_FOUND`
   */
  async check(vmId: string, options: VerbOptions = {}): Promise<CheckReport> {
    const given = () => resolveVerb(options);
    return this.#plain({ operation: 'check', vmId }, given, (scope) =>
      this.#alone(vmId, scope, () => this.#backend.check(vmId, scope)),
    );
  }

  /**
   * Puts back what `check` finds different, and only that, of one VM or of all, without interrupting those that work:
   * rules, elements, links, redirections, MTU, owner, addresses, the namespace's name, a lost record. Without a vmId also
   * the network's own parts, even without VMs: bridges, firewall, forwarding. Nothing is removed: a VM that cannot be put
   * back is among those that `failed`, with ERR_ATTACHMENT_LOST.
   *
   * @throws {NetworkError} `ERR_ATTACHMENT_NOT_FOUND`
   */
  async repair(vmId?: string, options: VerbOptions = {}): Promise<RepairReport> {
    const given = () => resolveVerb(options);
    if (vmId === undefined) {
      return this.#plain({ operation: 'repair' }, given, (scope) => this.#backend.repair(null, scope));
    }
    return this.#plain({ operation: 'repair', vmId }, given, (scope) =>
      this.#alone(vmId, scope, () => this.#backend.repair(vmId, scope)),
    );
  }

  /** The network's attachments, whoever made them. */
  async list(options: VerbOptions = {}): Promise<readonly Attachment[]> {
    const given = () => resolveVerb(options);
    return this.#plain({ operation: 'list' }, given, (scope) => this.#backend.list(scope));
  }

  /** Removes every attachment of the network except those of the VMs to keep, and what crashes have left. */
  async gc(options: GcOptions): Promise<GcReport> {
    const given = () => resolveGc(options);
    return this.#plain({ operation: 'gc' }, given, async (scope, { keep }) => {
      const before = this.#own.all;
      const report = await this.#backend.gc(new Set(keep), scope);
      this.#own.forgetRemoved(before, report.removed);
      return report;
    });
  }

  /**
   * Removes the network itself: bridges, firewall elements, and the conflist that was generated. Forwarding stays on.
   * This manager's pools are destroyed for good. A bridge that existed before stays; with `cni` and the user's own conflist,
   * so does one that has other ports, or that its plugin makes itself (VLANs; several bridge plugins).
   * Setups of all its managers are refused from then on, until somebody opens it again.
   *
   * @throws {NetworkError} `ERR_NETWORK_IN_USE` while it has attachments, or another manager has a pool of it open.
   */
  async removeNetwork(options: VerbOptions = {}): Promise<void> {
    const given = () => resolveVerb(options);
    return this.#plain({ operation: 'removeNetwork' }, given, (scope) => this.#backend.remove(scope));
  }

  /**
   * Waits until each pool has its least number of slots; resolves at once without pools. Setups need not wait for it.
   *
   * @throws {NetworkError} what prevented a slot from being built, as `setup` would say it; the pool goes on trying.
   * `ERR_TIMEOUT` if the slots take longer than `timeoutMs`.
   */
  async warmUp(options: VerbOptions = {}): Promise<void> {
    const given = () => resolveVerb(options);
    return this.#plain({ operation: 'warmUp' }, given, (scope) => this.#backend.warmUp(scope));
  }

  /** What this manager has done so far, and its pools now. */
  stats(): ManagerStats {
    if (this.#closed === null) this.#own.sweepWhenDue();
    return this.#statistics.snapshot(this.#backend.pools);
  }

  /**
   * Stops what is under way, destroys the slots of the pools, and tears down what this manager set up unless it is to be left.
   * Idempotent.
   *
   * @throws {NetworkError} `ERR_TEARDOWN_INCOMPLETE`; each failure is logged, too.
   */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** Like {@link close}, but only logs what fails, so that the result of a block is never hidden. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close().catch(() => {});
  }

  async #close(): Promise<void> {
    this.#closing.stop(null);
    try {
      await this.#closeAll();
    } finally {
      // Node tells of a signal when its event loop polls next, which it has done by the second of these; without a listener by
      // then, one that has come is lost.
      if (this.#config.signals.length > 0) for (let turn = 0; turn < 2; turn++) await setImmediate();
      this.#forgetSignals();
    }
  }

  async #closeAll(): Promise<void> {
    await this.#running.ended();
    await this.#backend.close();
    const errors = this.#config.shutdown === 'leave' ? [] : await this.#teardownAll();
    await this.#backend.settle();
    if (errors.length === 0) return;
    const message = `not everything could be torn down: ${errors.map((error) => error.message).join('; ')}`;
    throw new NetworkError('ERR_TEARDOWN_INCOMPLETE', message, {
      ...{ operation: 'close', network: this.network, errors },
    });
  }

  /** What kept VMs of this manager's. */
  async #teardownAll(): Promise<readonly Error[]> {
    await this.#own.forgetDepartedOrReplaced();
    const errors: Error[] = [];
    const patience = new Patience(this.#config.timeoutMs);
    const undo = async (own: OwnVm) => {
      try {
        await this.#teardownOwn(own, { timeoutMs: patience.leftMs });
        patience.renew();
      } catch (error) {
        this.#log(own.vmId, error as Error);
        errors.push(error as Error);
      }
    };
    await inTurns(this.#own.all, closeWidth, undo);
    return errors;
  }

  #attach(request: AttachRequest, scope: Scope): Promise<NetworkConfig> {
    const { vmId } = request;
    const made = this.#alone(vmId, scope, () => this.#backend.attach(request, scope));
    return made.then(({ config, hostLink }) => {
      this.#own.add({ vmId, containerId: request.containerId, hostLink });
      this.#statistics.steps(config.origin, scope.durations);
      return config;
    });
  }

  /** `null`: what was to go has gone before, and something else may stand in its place. */
  async #detach(vmId: string, wait: boolean, only: OwnVm | null, scope: Scope): Promise<Departure | null> {
    const gone = await this.#alone(vmId, scope, async () => {
      const own = this.#own.get(vmId);
      if (only !== null && own !== only) return null;
      const request = { vmId, wait, only: only?.hostLink ?? null, own: own?.hostLink ?? null };
      const detached = await this.#backend.detach(request, scope);
      this.#own.delete(vmId);
      return detached;
    });
    if (gone === null) return null;
    if (wait) await this.#backend.untilFree(vmId, gone.netns, scope, this.#closing);
    this.#statistics.steps(gone.departure, scope.durations);
    return gone.departure;
  }

  /** The very attachment that this manager made, and no other that the VM may have by then. */
  #teardownOwn(own: OwnVm, options: TeardownOptions = {}): Promise<void> {
    return this.#teardown(own.vmId, options, own);
  }

  /** Neither closing nor a signal stops it, except for the wait. */
  async #teardown(vmId: string, options: TeardownOptions, only: OwnVm | null): Promise<void> {
    const { network } = this;
    const verb = { operation: 'teardown', network, vmId } as const;
    const start = performance.now();
    try {
      // Closing itself tears down what this manager made.
      if (only === null) assertOpen(verb, this.#closing);
      resolveVmId(vmId);
      const { wait, timeoutMs = this.#config.timeoutMs } = resolveTeardown(options);
      const departure = await this.#inTurn(() => {
        const work = () => inScope({ ...verb, timeoutMs }, (scope) => this.#detach(vmId, wait, only, scope));
        return traced('teardown', { network, vmId }, work);
      });
      if (departure !== null) this.#statistics.teardown(departure, performance.now() - start);
    } catch (error) {
      throw this.#statistics.failed(refusal(verb, error));
    }
  }

  async #plain<T, Given extends VerbOptions>(
    about: Omit<Verb, 'network'>,
    resolve: () => Given,
    work: (scope: Scope, given: Given) => Promise<T>,
  ): Promise<T> {
    const verb = { ...about, network: this.network };
    try {
      assertOpen(verb, this.#closing);
      if ('vmId' in about) resolveVmId(about.vmId);
      const given = resolve();
      const { timeoutMs = this.#config.timeoutMs, signal } = given;
      const limits = { timeoutMs, signal, closing: this.#closing };
      const unlessStopped = async (scope: Scope) => {
        throwIfStopped(scope, true);
        return work(scope, given);
      };
      return await this.#inTurn(() => inScope({ ...verb, ...limits }, unlessStopped));
    } catch (error) {
      throw refusal(verb, error);
    }
  }

  /** What is under way, and waited for by close, from the moment that it is asked for. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    this.#running.begin();
    const turn = this.#turns.take();
    if (turn !== null) await turn;
    try {
      return await work();
    } finally {
      this.#running.end();
    }
  }

  /** While nobody else is about the VM. */
  #alone<T>(vmId: string, scope: Scope, work: () => Promise<T>): Promise<T> {
    scope.step = 'queue';
    return this.#mutex.run(vmId, scope, work);
  }

  #log(vmId: string, error: Error): void {
    this.#logger.error({ err: error, vmId, network: this.network }, `teardown failed: ${error.message}`);
  }
}
