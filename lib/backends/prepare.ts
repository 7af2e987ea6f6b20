import { isGenerated, writeConfList } from '../cni/generate.ts';
import { firewallError } from '../firewall.ts';
import type { BridgeState, NativeBinding, NativeError } from '../native/binding.ts';
import { runTask } from '../native/task.ts';
import type { Scope } from '../operation.ts';
import { refuseRoutedSubnets } from './host-routes.ts';
import { atStep, isNativeError, kernelError } from './kernel-error.ts';
import type { Network } from './network.ts';

/** What a network needs once on a host: directories, conflist, bridge, firewall elements, forwarding. Idempotent. */

type Undo = () => Promise<unknown>;

const ipv4Forwarding = 'net/ipv4/ip_forward';
const ipv6Forwarding = 'net/ipv6/conf/all/forwarding';

/** Large enough for any that this library writes. */
const conflistLimit = 1024 * 1024;

const noText = new Set(['ELOOP', 'EFBIG', 'EISDIR', 'EINVAL', 'ENXIO']);

export async function ensureStateDirectories(binding: NativeBinding, stateDir: string): Promise<void> {
  for (const path of [stateDir, `${stateDir}/locks`, `${stateDir}/results`]) {
    await atStep('state directory', () => binding.directoryEnsure({ path, mode: 0o700 }));
  }
}

class Preparation {
  readonly #binding: NativeBinding;
  readonly #network: Network;
  readonly #scope: Scope;
  readonly #undos: Undo[] = [];

  constructor(binding: NativeBinding, network: Network, scope: Scope) {
    this.#binding = binding;
    this.#network = network;
    this.#scope = scope;
  }

  async run(accept: () => Promise<void>): Promise<BridgeState | null> {
    try {
      this.#scope.step = 'routes';
      await refuseRoutedSubnets(this.#binding, this.#network);
      await this.#conflist();
      const bridge = await this.#bridge();
      await this.#firewall();
      await this.#forwarding();
      this.#scope.step = 'verify';
      await accept();
      return bridge;
    } catch (error) {
      for (const undo of this.#undos.reverse()) await undo();
      throw error;
    }
  }

  async #conflist(): Promise<void> {
    const { generated, name } = this.#network;
    if (generated === null) return;
    this.#scope.step = 'conflist';
    const { confDir: directory, conflist } = generated;
    const file = { directory, name: `${name}.conflist` };
    const before = await this.#read(file);
    if (!(await writeConfList(this.#binding, directory, conflist))) return;
    this.#undos.push(() =>
      before === null
        ? this.#binding.fileRemove(file)
        : this.#binding.fileWrite({ ...file, data: before, mode: 0o644 }),
    );
  }

  /** What is no file of text is writeConfList's to judge. */
  async #read(file: { readonly directory: string; readonly name: string }): Promise<string | null> {
    try {
      return await this.#binding.fileRead({ ...file, limit: conflistLimit });
    } catch (error) {
      if (isNativeError(error) && noText.has(error.code)) return null;
      throw kernelError('conflist', error);
    }
  }

  async #bridge(): Promise<BridgeState | null> {
    const { bridge } = this.#network;
    if (bridge === null) return null;
    this.#scope.step = 'bridge';
    const state = await atStep('bridge', () =>
      this.#task((taskId) => this.#binding.bridgeEnsure({ ...bridge, taskId })),
    );
    if (state.created) this.#undos.push(() => this.#binding.linkDelete({ name: bridge.name }));
    return state;
  }

  async #firewall(): Promise<void> {
    const { name, firewall } = this.#network;
    this.#scope.step = 'firewall';
    try {
      const known = await this.#binding.firewallList({});
      await this.#task((taskId) => this.#binding.firewallEnsure({ ...firewall, taskId }));
      if (!known.includes(name)) this.#undos.push(() => this.#binding.firewallRemove({ network: name }));
      if (this.#network.guarded) await this.#guard();
    } catch (error) {
      if (!isNativeError(error) || error.code === 'ECANCELED') throw kernelError('firewall', error);
      throw firewallError(name, error as NativeError);
    }
  }

  /** The table is everybody's: it goes only while nobody has a port in it. */
  async #guard(): Promise<void> {
    const made = await this.#task((taskId) => this.#binding.guardEnsure({ taskId }));
    if (made) this.#undos.push(() => this.#binding.guardRemoveUnused({}));
  }

  async #forwarding(): Promise<void> {
    this.#scope.step = 'forwarding';
    const keys = this.#network.firewall.ipv6 ? [ipv4Forwarding, ipv6Forwarding] : [ipv4Forwarding];
    for (const key of keys) {
      await atStep('forwarding', () => this.#binding.sysctlWrite({ key, value: '1' }));
    }
  }

  #task<T>(start: (taskId: number) => Promise<T>): Promise<T> {
    return runTask(this.#binding, this.#scope, start);
  }
}

/** What was not there before goes again when a step, or `accept` at the end, rejects. */
export async function prepareNetwork(
  binding: NativeBinding,
  network: Network,
  scope: Scope,
  accept: () => Promise<void>,
): Promise<BridgeState | null> {
  return new Preparation(binding, network, scope).run(accept);
}

/** The reverse, but for forwarding, which others may have come to need; the user's own conflist stays. */
export async function dismantleNetwork(binding: NativeBinding, network: Network): Promise<void> {
  const { name, bridge, generated } = network;
  try {
    await binding.firewallRemove({ network: name });
    await binding.guardRemoveUnused({});
  } catch (error) {
    throw isNativeError(error) ? firewallError(name, error) : error;
  }
  if (bridge !== null) await atStep('bridge', () => binding.linkDelete({ name: bridge.name }));
  if (generated === null) return;
  const file = { directory: generated.confDir, name: `${name}.conflist` };
  await atStep('conflist', async () => {
    const text = await binding.fileRead({ ...file, limit: conflistLimit });
    if (text !== null && isGenerated(text)) await binding.fileRemove(file);
  });
}
