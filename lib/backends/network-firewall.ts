import { firewallError } from '../firewall.ts';
import { KeyedMutex } from '../mutex.ts';
import type { NativeBinding } from '../native/binding.ts';
import { runTask } from '../native/task.ts';
import type { Scope } from '../operation.ts';
import { atStep, isNativeError, kernelError } from './kernel-error.ts';
import type { Locks } from './locks.ts';
import type { Network } from './network.ts';

type Binding = Pick<NativeBinding, 'cancel' | 'dump' | 'firewallEnsure' | 'firewallRequire'>;

/** The firewall of one network, and by which table it is known: whoever flushes the ruleset takes it away. */
export class NetworkFirewall {
  readonly #binding: Binding;
  readonly #network: Network;
  readonly #locks: Locks;
  readonly #mutex = new KeyedMutex();
  /** The handle of the table that the network's elements were last seen in; 0: none was. */
  #table = 0;

  constructor(binding: Binding, network: Network, locks: Locks) {
    this.#binding = binding;
    this.#network = network;
    this.#locks = locks;
  }

  /** Rejects with what the addon rejects with. */
  async ensure(scope?: Scope): Promise<void> {
    const { firewall } = this.#network;
    this.#table = await runTask(this.#binding, scope, (taskId) =>
      this.#binding.firewallEnsure({ ...firewall, taskId }),
    );
  }

  /**
   * Native work that makes nothing without the firewall: where that is gone, it is put back, and the work done once more. The
   * caller holds no lock.
   */
  async behind<T>(scope: Scope, work: (table: number) => Promise<T>): Promise<T> {
    const table = this.#table;
    try {
      return await work(table);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    const { step } = scope;
    await this.#locks.withNetwork('shared', scope, () => this.#restore(table, scope));
    scope.step = step;
    return work(this.#table);
  }

  /** For work that does not look itself. The caller holds no lock. */
  need(scope: Scope): Promise<void> {
    return this.behind(scope, (table) => this.#binding.firewallRequire({ table })).catch((error: unknown) => {
      throw asFirewallError(this.#network.name, error);
    });
  }

  /** Of those who come at once, one puts it back. */
  #restore(missed: number, scope: Scope): Promise<void> {
    return this.#mutex.run('', scope, async () => {
      if (missed !== this.#table) return;
      scope.step = 'firewall';
      if (!(await this.#isNetworkThere())) return;
      await this.ensure(scope).catch((error: unknown) => {
        throw asFirewallError(this.#network.name, error);
      });
    });
  }

  /** One that others have removed meanwhile is without its bridge, and gets no firewall back. */
  async #isNetworkThere(): Promise<boolean> {
    const { bridges } = this.#network;
    if (bridges.length === 0) return true;
    const { links } = await atStep('firewall', () => this.#binding.dump({ kinds: ['links'] }));
    const present = new Set(links.flatMap(({ kind, name }) => (kind === 'bridge' ? [name] : [])));
    return bridges.some(({ name }) => present.has(name));
  }
}

function isGone(error: unknown): boolean {
  return isNativeError(error) && error.reason === 'firewall-gone' && error.undoErrors === undefined;
}

/** The public error for what the addon refuses of a firewall. */
export function asFirewallError(network: string, error: unknown): unknown {
  if (!isNativeError(error) || error.code === 'ECANCELED') return kernelError('firewall', error);
  return firewallError(network, error);
}
