import { KeyedMutex } from '../../async/mutex.ts';
import { firewallError } from '../../firewall.ts';
import type { FirewallNeed } from '../../native/attachment.ts';
import type { NativeBinding } from '../../native/binding.ts';
import type { NativeError } from '../../native/error.ts';
import { isNativeError, kernelError } from '../../native/kernel-error.ts';
import { runTask } from '../../native/task.ts';
import type { Scope } from '../../operation.ts';
import type { Locks } from '../host/locks.ts';
import type { Network } from './network.ts';
import { refuseRemoved } from './removed-network.ts';

/**
 * The firewall of one network, and by which table it is known: whoever flushes the ruleset takes it away, and whoever removes the
 * network takes the network's part.
 */
export class NetworkFirewall {
  readonly #binding: NativeBinding;
  readonly #network: Network;
  readonly #locks: Locks;
  readonly #mutex = new KeyedMutex();
  /** With the table that the network's elements were last seen in; 0: none was. */
  #need: FirewallNeed;

  constructor(binding: NativeBinding, network: Network, locks: Locks) {
    this.#binding = binding;
    this.#network = network;
    this.#locks = locks;
    this.#need = { table: 0, network: network.name };
  }

  /** Rejects with what the addon rejects with. */
  async ensure(scope?: Scope): Promise<void> {
    const { firewall } = this.#network;
    const table = await runTask(this.#binding, scope, (taskId) =>
      this.#binding.firewallEnsure({ ...firewall, taskId }),
    );
    this.#need = { table, network: firewall.network };
  }

  /**
   * Native work that makes nothing without the firewall: where that is gone, it is put back, and the work done once more; of a network
   * that was removed it is not. The caller holds no lock.
   */
  async behind<T>(scope: Scope, work: (need: FirewallNeed) => Promise<T>): Promise<T> {
    const need = this.#need;
    let missed: NativeError;
    try {
      return await work(need);
    } catch (error) {
      if (!isGone(error)) throw error;
      missed = error;
    }
    const { step } = scope;
    await this.#locks.withNetwork('shared', scope, () => this.#restore(need, missed, scope));
    scope.step = step;
    return work(this.#need);
  }

  /** The same for work that does not look itself, but takes the network's lock, and looks by `need` once it has that. */
  async whileThere<T>(scope: Scope, work: (need: () => Promise<void>) => Promise<T>): Promise<T> {
    const { bridges, group, network } = this.#network.firewall;
    const entrances = { bridges, ...(group === undefined ? {} : { group }) };
    const look = async (need: FirewallNeed) => {
      try {
        await this.#binding.firewallRequire({ ...need, ...entrances });
      } catch (error) {
        throw isGone(error) ? error : asFirewallError(network, error);
      }
    };
    try {
      return await this.behind(scope, (need) => work(() => look(need)));
    } catch (error) {
      throw isGone(error) ? asFirewallError(network, error) : error;
    }
  }

  /** Of those who come at once, one puts it back. */
  #restore(need: FirewallNeed, missed: NativeError, scope: Scope): Promise<void> {
    return this.#mutex.run('', scope, async () => {
      if (need !== this.#need) return;
      scope.step = 'firewall';
      await refuseRemoved({ binding: this.#binding, network: this.#network }, missed);
      await this.ensure(scope).catch((error: unknown) => {
        throw asFirewallError(this.#network.name, error);
      });
    });
  }
}

function isGone(error: unknown): error is NativeError {
  if (!isNativeError(error) || error.undoErrors !== undefined) return false;
  return error.reason === 'firewall-gone' || error.reason === 'firewall-bare';
}

/** The public error for what the addon refuses of a firewall. */
export function asFirewallError(network: string, error: unknown): unknown {
  if (!isNativeError(error) || error.code === 'ECANCELED') return kernelError('firewall', error);
  return firewallError(network, error);
}
