import type { Backend } from './backends/backend.ts';
import { CniBackend } from './backends/cni.ts';
import {
  resolveConfig,
  resolveGc,
  resolveSetup,
  resolveTeardown,
  resolveVerb,
  resolveVmId,
} from './config.ts';
import { NetworkError } from './errors.ts';
import { KeyedMutex } from './mutex.ts';
import { bundledPluginDirectory, loadNative } from './native/load.ts';
import { traced } from './observe.ts';
import { inScope, type Scope } from './operation.ts';
import type {
  GcOptions,
  NetworkManagerOptions,
  SetupOptions,
  TeardownOptions,
  VerbOptions,
} from './options.ts';
import type { Config } from './settings.ts';
import { onCloseSignals } from './signals.ts';
import type {
  Attachment,
  CheckReport,
  GcReport,
  NetworkConfig,
  Operation,
  TapOwner,
  VerifyReport,
} from './types.ts';

/** As the kernel has it: whoever opens the TAP must be allowed to, so it is never left without an owner. */
function ourselves(): TapOwner {
  return { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
}

/** One network of one host, and the VMs on it. Any number of managers, in any number of processes, may share a network. */
export class NetworkManager implements AsyncDisposable {
  readonly network: string;
  readonly #backend: Backend;
  readonly #config: Config;
  readonly #mutex = new KeyedMutex();
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<unknown>>();
  /** VMs that this manager has set up and not torn down since. */
  readonly #own = new Set<string>();
  readonly #forgetSignals: () => void;
  #closed: Promise<void> | null = null;

  private constructor(backend: Backend, config: Config) {
    this.network = backend.network;
    this.#backend = backend;
    this.#config = config;
    this.#forgetSignals = onCloseSignals(config.signals, () => this.close());
  }

  /**
   * Checks the options, prepares the network once (bridge, forwarding, firewall, conflist) and runs `verify`: what is
   * missing is logged as a warning with its remedy, or thrown with `verify: 'throw'`.
   *
   * @throws {TypeError} for an option of the wrong type or an unknown one
   * @throws {NetworkError} with the code of the rule that an option breaks; `ERR_VERIFY`; `ERR_PERMISSION`
   */
  static async open(options: NetworkManagerOptions = {}): Promise<NetworkManager> {
    const config = resolveConfig(options);
    const host = { binding: loadNative(), bundledPluginDir: bundledPluginDirectory() };
    return inScope({ operation: 'open', timeoutMs: config.timeoutMs }, async (scope) => {
      const backend = await CniBackend.open(host, config, scope);
      scope.step = 'verify';
      await verifyAtOpen(backend, config, scope);
      return new NetworkManager(backend, config);
    });
  }

  /**
   * Gives a VM its network: all or nothing. `timeoutMs` and `signal` bound it; what had begun is undone before the promise
   * rejects, and `rolledBack` says whether that was complete.
   *
   * @throws {NetworkError} `ERR_ATTACHMENT_EXISTS` when the VM has its network already; nothing was touched then
   */
  async setup(vmId: string, options: SetupOptions = {}): Promise<NetworkConfig> {
    const id = resolveVmId(vmId);
    const { signal, timeoutMs, mac, tapName, containerId, tapOwner } = resolveSetup(options, id);
    const request = { vmId: id, containerId, mac, tapName, tapOwner: tapOwner ?? ourselves() };
    return traced('setup', { network: this.network, vmId: id }, () =>
      this.#verb({ operation: 'setup', vmId: id, signal, timeoutMs }, (scope) =>
        this.#mutex.run(id, scope.signal, async () => {
          const net = await this.#backend.attach(request, scope);
          this.#own.add(id);
          return net;
        }),
      ),
    );
  }

  /**
   * Takes a VM off the network and gives back all that it had; twice is fine. Can't be aborted.
   *
   * @throws {NetworkError} `ERR_LINK_CUT` when its link can't be cut: address and record are kept then;
   *   `ERR_TEARDOWN_INCOMPLETE` with each failing step in `errors`; `ERR_NETNS_BUSY` with `wait: true`
   */
  async teardown(vmId: string, options: TeardownOptions = {}): Promise<void> {
    const id = resolveVmId(vmId);
    const { timeoutMs, wait } = resolveTeardown(options);
    await this.#verb({ operation: 'teardown', vmId: id, timeoutMs }, (scope) =>
      this.#detach(id, wait, scope),
    );
  }

  /** Runs `fn` with the VM's network, which is torn down whatever `fn` does; a failing teardown is only logged. */
  async withNetwork<T>(
    vmId: string,
    fn: (net: NetworkConfig) => T | Promise<T>,
    options: SetupOptions = {},
  ): Promise<T> {
    const net = await this.setup(vmId, options);
    try {
      return await fn(net);
    } finally {
      await this.teardown(net.vmId).catch((error: unknown) => this.#logFailedTeardown(net.vmId, error));
    }
  }

  /** What is missing for set-ups to succeed, and what to do about it. */
  async verify(options: VerbOptions = {}): Promise<VerifyReport> {
    return this.#verb({ operation: 'verify', ...resolveVerb(options) }, (scope) =>
      this.#backend.verify(scope),
    );
  }

  /** What differs from what `setup` left. @throws {NetworkError} `ERR_ATTACHMENT_NOT_FOUND` */
  async check(vmId: string, options: VerbOptions = {}): Promise<CheckReport> {
    const id = resolveVmId(vmId);
    return this.#verb({ operation: 'check', vmId: id, ...resolveVerb(options) }, (scope) =>
      this.#mutex.run(id, scope.signal, () => this.#backend.check(id, scope)),
    );
  }

  /** This network's attachments, whoever made them. */
  async list(options: VerbOptions = {}): Promise<readonly Attachment[]> {
    return this.#verb({ operation: 'list', ...resolveVerb(options) }, (scope) => this.#backend.list(scope));
  }

  /** Removes every attachment of this network but those of the VMs in `keep`. */
  async gc(options: GcOptions): Promise<GcReport> {
    const { keep, ...rest } = resolveGc(options);
    return this.#verb({ operation: 'gc', ...rest }, (scope) => this.#backend.gc(new Set(keep), scope));
  }

  /**
   * Removes the network itself: its bridge, firewall elements and generated conflist. Forwarding stays as it is.
   *
   * @throws {NetworkError} `ERR_NETWORK_IN_USE` while it has attachments
   */
  async removeNetwork(options: VerbOptions = {}): Promise<void> {
    await this.#verb({ operation: 'remove', ...resolveVerb(options) }, (scope) =>
      this.#backend.remove(scope),
    );
  }

  /** Aborts what is running, tears down what this manager set up (`shutdown: 'teardown'`), and lets the process exit. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    this.#forgetSignals();
    this.#closing.abort();
    await Promise.allSettled(this.#running);
    if (this.#config.shutdown === 'leave') return;
    const { timeoutMs } = this.#config;
    await Promise.all(
      [...this.#own].map((vmId) =>
        inScope({ operation: 'close', network: this.network, vmId, timeoutMs }, (scope) =>
          this.#detach(vmId, false, scope),
        ).catch((error: unknown) => this.#logFailedTeardown(vmId, error)),
      ),
    );
  }

  #detach(vmId: string, wait: boolean, scope: Scope): Promise<void> {
    return traced('teardown', { network: this.network, vmId }, () =>
      this.#mutex.run(vmId, scope.signal, async () => {
        await this.#backend.detach({ vmId, wait }, scope);
        this.#own.delete(vmId);
      }),
    );
  }

  #logFailedTeardown(vmId: string, error: unknown): void {
    const { logger } = this.#config;
    logger?.error({ network: this.network, vmId, err: error }, `teardown of ${vmId} failed`);
  }

  async #verb<T>(
    { operation, timeoutMs = this.#config.timeoutMs, signal, vmId }: Verb,
    work: (scope: Scope) => Promise<T>,
  ): Promise<T> {
    const { network } = this;
    if (this.#closing.signal.aborted) {
      throw new NetworkError('ERR_CLOSED', `${operation}: the manager is closed`, { operation, network });
    }
    // A teardown that has begun is finished; closing waits for it.
    const closing = operation === 'teardown' ? undefined : this.#closing.signal;
    const running = inScope({ operation, network, vmId, timeoutMs, signal, closing }, work);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }
}

interface Verb {
  readonly operation: Operation;
  readonly vmId?: string;
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

async function verifyAtOpen(backend: Backend, config: Config, scope: Scope): Promise<void> {
  if (config.verify === 'off') return;
  const report = await backend.verify(scope);
  if (!report.ok && config.verify === 'throw') {
    throw new NetworkError('ERR_VERIFY', `network ${backend.network}: ${report}`, {
      network: backend.network,
    });
  }
  for (const { id, severity, message, remedy } of report.findings) {
    if (severity !== 'notice') config.logger?.warn({ network: backend.network, id }, `${message}; ${remedy}`);
  }
}
