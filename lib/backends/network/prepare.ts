import { parseAnyConf } from '../../cni/conflist.ts';
import { isGenerated, writeConfList } from '../../cni/generate.ts';
import { AbortError, NetworkError, withRemedy } from '../../errors.ts';
import { firewallError } from '../../firewall.ts';
import type { NativeBinding } from '../../native/binding.ts';
import type { BridgePlan } from '../../native/engine.ts';
import { atStep, isNativeError, kernelError } from '../../native/kernel-error.ts';
import type { LinkInfo } from '../../native/netlink.ts';
import { runTask } from '../../native/task.ts';
import type { Scope } from '../../operation.ts';
import type { NetworkLayout } from '../../types.ts';
import { canonical } from '../host/anchor.ts';
import { ownerOfAlias } from '../host/host-link.ts';
import { conflistFile, readConflist } from './conflist-file.ts';
import { forgetStateDirs } from './elsewhere.ts';
import { asFirewallError, type NetworkFirewall } from './firewall.ts';
import { ensureForwarding } from './forwarding.ts';
import { refuseTakenSubnets, unreachableSubnets } from './host-routes.ts';
import { type NativeLayout, nativeLayout, nativeProblem } from './layout.ts';
import type { Bridge, Network } from './network.ts';
import { presentPlans } from './own-bridges.ts';
import type { Runtime } from './runtime.ts';

/** What a network needs once on a host: directories, conflist, bridge, firewall elements, forwarding. Idempotent. */

type Undo = () => Promise<unknown>;

export async function ensureStateDirectories(binding: NativeBinding, stateDir: string): Promise<void> {
  for (const path of [stateDir, `${stateDir}/locks`, `${stateDir}/results`]) {
    await atStep('state directory', () => binding.directoryEnsure({ path, mode: 0o700 }));
  }
}

/** What of it no open can change while it stands. A manager's firewall is for the subnets and bridges that it knows, and no others. */
function lastingOf(layout: NativeLayout): string {
  const { addressDir, bridge, bridges, sets } = layout;
  const ranges = sets.flatMap((set) => set.ranges);
  const gateways = new Set(ranges.map(({ gateway, prefixLength }) => `${gateway}/${prefixLength}`));
  const named = bridges.length === 1 ? bridge : `${bridge} and up to ${bridges.length - 1} more`;
  return `the layout ${layoutName(layout)}, bridge ${named}, gateway ${[...gateways].join(', ')}, and addresses in ${canonical(addressDir)}`;
}

function layoutName({ hostRoutes, linkGroup }: NativeLayout): NetworkLayout {
  if (linkGroup !== null) return 'routed';
  return hostRoutes ? 'bridges' : 'bridge';
}

/** What is done with the network that is prepared, and may fail. */
export interface Accept {
  recover(bridges: readonly Bridge[]): Promise<void>;
  /** Makes nothing for VMs, as they may have the firewall of another manager yet. */
  start(): Promise<void>;
}

/** What was not there before goes again by `undone`, and what was is what it was. */
export class Preparation {
  readonly #binding: NativeBinding;
  readonly #network: Network;
  readonly #networkFirewall: NetworkFirewall;
  readonly #scope: Scope;
  readonly #undos: Undo[] = [];
  /** What others had otherwise before, whoever needs the network. */
  readonly #restores: Undo[] = [];

  constructor({ binding, firewall, network }: Runtime, scope: Scope) {
    this.#binding = binding;
    this.#network = network;
    this.#networkFirewall = firewall;
    this.#scope = scope;
  }

  /** Under the network's lock. Where it rejects, others have what they had; what is new is to be undone. */
  async run(accept: Accept): Promise<void> {
    try {
      await this.#run(accept);
    } catch (error) {
      throw await takeBack(this.#restores, error);
    }
  }

  async #run(accept: Accept): Promise<void> {
    this.#scope.step = 'routes';
    await refuseTakenSubnets(this.#binding, this.#network);
    await this.#conflist();
    const bridges = await this.#bridges();
    await this.#subnetRoutes();
    const isKnown = await this.#isKnown();
    if (!isKnown) await this.#firewall(isKnown);
    await this.#guard();
    await this.#forwarding();
    await accept.recover(bridges);
    await accept.start();
    // The policy that others' VMs have changes once nothing else can fail.
    if (isKnown) await this.#firewall(isKnown);
  }

  get hasChanged(): boolean {
    return this.#undos.length > 0;
  }

  /** With what of it has failed. */
  undone(error: unknown): Promise<unknown> {
    return takeBack(this.#undos, error);
  }

  async #conflist(): Promise<void> {
    const { generated } = this.#network;
    const file = conflistFile(this.#network);
    if (generated === null || file === null) return;
    this.#scope.step = 'conflist';
    const { confDir: directory, conflist } = generated;
    const before = await readConflist(this.#binding, file);
    if (before !== null && isGenerated(before)) await this.#refuseOtherLayout(before);
    if (!(await writeConfList(this.#binding, directory, conflist))) return;
    if (before === null) this.#undos.push(() => this.#binding.fileRemove(file));
    else this.#restores.push(() => this.#binding.fileWrite({ ...file, data: before, mode: 0o644 }));
  }

  /**
   * As long as the network stands its VMs need the firewall of the layout, the bridges and the subnet that they are in, and managers
   * need one store, as each of two would give out the other's addresses.
   */
  async #refuseOtherLayout(text: string): Promise<void> {
    const { layout, name } = this.#network;
    const list = parseAnyConf(text, 'the conflist');
    const before =
      layout === null || nativeProblem(list) !== null ? layout : nativeLayout(list, 'the conflist');
    if (layout === null || before === null || lastingOf(layout) === lastingOf(before)) return;
    const { links } = await atStep('conflist', () => this.#binding.dump({ kinds: ['links'] }));
    if (!links.some(({ kind, name: each }) => kind === 'bridge' && before.bridges.includes(each))) return;
    const message = `network ${name} is there with ${lastingOf(before)}, not ${lastingOf(layout)}`;
    throw new NetworkError('ERR_BRIDGE_CONFLICT', withRemedy('ERR_BRIDGE_CONFLICT', message), {
      step: 'conflist',
      network: name,
    });
  }

  /** The first, and those that are there already: VMs may be behind them. */
  async #bridges(): Promise<readonly Bridge[]> {
    this.#scope.step = 'bridge';
    const bridges: Bridge[] = [];
    const { links } = await atStep('bridge', () => this.#binding.dump({ kinds: ['links'] }));
    for (const plan of this.#plans(links)) {
      const { name } = plan;
      const { created, mac, mtu } = await atStep('bridge', () =>
        this.#task((taskId) => this.#binding.bridgeEnsure({ ...plan, taskId })),
      );
      const before = links.find((link) => link.name === name)?.mtu ?? mtu;
      if (created) this.#undos.push(() => this.#binding.linkDelete({ name }));
      else if (mtu !== before) this.#restores.push(() => this.#binding.linkSet({ name, mtu: before }));
      bridges.push({ name, mac });
    }
    return bridges;
  }

  #plans(links: readonly LinkInfo[]): readonly BridgePlan[] {
    const { bridges } = this.#network;
    return bridges.length <= 1 ? bridges : presentPlans(this.#network, links);
  }

  async #subnetRoutes(): Promise<void> {
    for (const destination of unreachableSubnets(this.#network)) {
      this.#scope.step = 'routes';
      const added = await atStep('routes', () => this.#binding.hostRouteAdd({ destination }));
      if (added) this.#undos.push(() => this.#binding.hostRouteRemove({ destination }));
    }
  }

  async #isKnown(): Promise<boolean> {
    return (await this.#ofFirewall(() => this.#binding.firewallList({}))).includes(this.#network.name);
  }

  async #firewall(isKnown: boolean): Promise<void> {
    const { name } = this.#network;
    await this.#ofFirewall(() => this.#networkFirewall.ensure(this.#scope));
    if (!isKnown) this.#undos.push(() => this.#binding.firewallRemove({ network: name }));
  }

  /** The table is everybody's: it goes only while nobody has a port in it. */
  async #guard(): Promise<void> {
    if (!this.#network.guarded) return;
    const routed = this.#network.firewall.group !== undefined;
    const made = await this.#ofFirewall(() =>
      this.#task((taskId) => this.#binding.guardEnsure({ routed, taskId })),
    );
    if (made) this.#undos.push(() => this.#binding.guardRemoveUnused({}));
  }

  async #ofFirewall<T>(work: () => Promise<T>): Promise<T> {
    this.#scope.step = 'firewall';
    try {
      return await work();
    } catch (error) {
      throw asFirewallError(this.#network.name, error);
    }
  }

  async #forwarding(): Promise<void> {
    this.#scope.step = 'forwarding';
    await ensureForwarding(this.#binding, this.#network);
  }

  #task<T>(start: (taskId: number) => Promise<T>): Promise<T> {
    return runTask(this.#binding, this.#scope, start);
  }
}

/** As much as can be; what has failed first stays what is told. */
async function takeBack(undos: Undo[], error: unknown): Promise<unknown> {
  const failures: Error[] = [];
  for (const undo of undos.splice(0).reverse()) {
    await undo().catch((failure: Error) => {
      failures.push(failure);
    });
  }
  if (failures.length === 0) return error;
  if (error instanceof AbortError) return new AbortError(false, { cause: error.cause });
  if (!(error instanceof NetworkError)) return error;
  const before = error.errors ?? [];
  return error.with({ errors: [...before, ...failures.map((each) => kernelError('undo', each) as Error)] });
}

/** A bridge that somebody else has made has another address, and other uses. */
const isOurs = ({ kind, name, mac }: LinkInfo, plan: BridgePlan) =>
  kind === 'bridge' && name === plan.name && mac === plan.mac;

/** A user's own chain may be run by others as well, whose VMs are not known here; links of ours that are still there are going. */
const isOthersPort = ({ master, alias }: LinkInfo, { index }: LinkInfo, network: string) =>
  master === index && ownerOfAlias(alias)?.network !== network;

/** What of the network's bridges is to go. */
function bridgesToRemove({ name, bridges }: Network, links: readonly LinkInfo[]): readonly LinkInfo[] {
  return bridges.flatMap((plan) => {
    const bridge = links.find((link) => isOurs(link, plan));
    const isUsed = bridge !== undefined && links.some((link) => isOthersPort(link, bridge, name));
    return bridge === undefined || (plan.bare === true && isUsed) ? [] : [bridge];
  });
}

/**
 * The reverse, but for forwarding, which others may have come to need; the user's own conflist stays, and so does a bridge that
 * was there before the network.
 */
export async function dismantleNetwork(runtime: Runtime): Promise<void> {
  const { binding, network } = runtime;
  const { name } = network;
  try {
    await binding.firewallRemove({ network: name });
    await binding.guardRemoveUnused({});
  } catch (error) {
    throw isNativeError(error) ? firewallError(name, error) : error;
  }
  const { links } = await atStep('bridge', () => binding.dump({ kinds: ['links'] }));
  for (const { name: bridge } of bridgesToRemove(network, links)) {
    await atStep('bridge', () => binding.linkDelete({ name: bridge }));
  }
  for (const destination of unreachableSubnets(network)) {
    await atStep('routes', () => binding.hostRouteRemove({ destination }));
  }
  await forgetStateDirs(runtime);
  const file = conflistFile(network);
  if (file === null) return;
  const text = await readConflist(binding, file);
  if (text !== null && isGenerated(text)) await atStep('conflist', () => binding.fileRemove(file));
}
