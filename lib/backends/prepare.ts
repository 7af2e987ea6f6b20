import { parseAnyConf } from '../cni/conflist.ts';
import { isGenerated, writeConfList } from '../cni/generate.ts';
import { NetworkError, withRemedy } from '../errors.ts';
import { firewallError } from '../firewall.ts';
import type { NativeBinding } from '../native/binding.ts';
import type { BridgePlan } from '../native/engine.ts';
import type { LinkInfo } from '../native/netlink.ts';
import { runTask } from '../native/task.ts';
import type { Scope } from '../operation.ts';
import type { NetworkLayout } from '../types.ts';
import type { Bridge } from './bridge-choice.ts';
import { ownerOfAlias } from './host-link.ts';
import { refuseRoutedSubnets, unreachableSubnets } from './host-routes.ts';
import { atStep, isNativeError, kernelError } from './kernel-error.ts';
import { type NativeLayout, nativeLayout, nativeProblem } from './native-layout.ts';
import type { Network } from './network.ts';
import { asFirewallError, type NetworkFirewall } from './network-firewall.ts';
import type { Runtime } from './runtime.ts';

/** What a network needs once on a host: directories, conflist, bridge, firewall elements, forwarding. Idempotent. */

type Undo = () => Promise<unknown>;

const ipv4Forwarding = 'net/ipv4/ip_forward';
const ipv6Forwarding = 'net/ipv6/conf/all/forwarding';

/** RTPROT_RA of linux/rtnetlink.h. */
const byAdvertisement = 9;

/** Large enough for any that this library writes. */
const conflistLimit = 1024 * 1024;

const noText = new Set(['ELOOP', 'EFBIG', 'EISDIR', 'ENOTDIR', 'EINVAL', 'ENXIO']);

export async function ensureStateDirectories(binding: NativeBinding, stateDir: string): Promise<void> {
  for (const path of [stateDir, `${stateDir}/locks`, `${stateDir}/results`]) {
    await atStep('state directory', () => binding.directoryEnsure({ path, mode: 0o700 }));
  }
}

/** All up to the last that is there, and the first in any case. */
async function presentBridges(binding: NativeBinding, { bridges }: Network): Promise<readonly BridgePlan[]> {
  if (bridges.length <= 1) return bridges;
  const { links } = await atStep('bridge', () => binding.dump({ kinds: ['links'] }));
  const names = new Set(links.flatMap(({ kind, name }) => (kind === 'bridge' ? [name] : [])));
  const last = bridges.findLastIndex(({ name }) => names.has(name));
  return bridges.slice(0, Math.max(last, 0) + 1);
}

function layoutName({ hostRoutes, linkGroup }: NativeLayout): NetworkLayout {
  if (linkGroup !== null) return 'routed';
  return hostRoutes ? 'bridges' : 'bridge';
}

const isLaidOutAlike = (one: NativeLayout, other: NativeLayout) => layoutName(one) === layoutName(other);

/** What is done with the network that is prepared, before that is settled. */
type Accept = (bridges: readonly Bridge[]) => Promise<void>;

/** What was not there before goes again by `undone`. */
export class Preparation {
  readonly #binding: NativeBinding;
  readonly #network: Network;
  readonly #networkFirewall: NetworkFirewall;
  readonly #scope: Scope;
  readonly #undos: Undo[] = [];

  constructor({ binding, firewall, network }: Runtime, scope: Scope) {
    this.#binding = binding;
    this.#network = network;
    this.#networkFirewall = firewall;
    this.#scope = scope;
  }

  async run(accept: Accept): Promise<void> {
    this.#scope.step = 'routes';
    await refuseRoutedSubnets(this.#binding, this.#network);
    await this.#conflist();
    const bridges = await this.#bridges();
    await this.#subnetRoutes();
    await this.#firewall();
    await this.#forwarding();
    this.#scope.step = 'verify';
    await accept(bridges);
  }

  get hasChanged(): boolean {
    return this.#undos.length > 0;
  }

  /** As much as can be; what has failed first stays what is told. */
  async undone(error: unknown): Promise<unknown> {
    const failures: Error[] = [];
    for (const undo of this.#undos.splice(0).reverse()) {
      await undo().catch((failure: Error) => {
        failures.push(failure);
      });
    }
    if (failures.length === 0 || !(error instanceof NetworkError)) return error;
    return error.with({ errors: failures.map((each) => kernelError('undo', each) as Error) });
  }

  async #conflist(): Promise<void> {
    const { generated, name } = this.#network;
    if (generated === null) return;
    this.#scope.step = 'conflist';
    const { confDir: directory, conflist } = generated;
    const file = { directory, name: `${name}.conflist` };
    const before = await this.#read(file);
    if (before !== null && isGenerated(before)) await this.#refuseOtherLayout(before);
    if (!(await writeConfList(this.#binding, directory, conflist))) return;
    this.#undos.push(() =>
      before === null
        ? this.#binding.fileRemove(file)
        : this.#binding.fileWrite({ ...file, data: before, mode: 0o644 }),
    );
  }

  /** As long as the network stands its VMs need the firewall of the layout that they are in. */
  async #refuseOtherLayout(text: string): Promise<void> {
    const { layout, name } = this.#network;
    const list = parseAnyConf(text, 'the conflist');
    const before =
      layout === null || nativeProblem(list) !== null ? layout : nativeLayout(list, 'the conflist');
    if (layout === null || before === null || isLaidOutAlike(layout, before)) return;
    const { links } = await atStep('conflist', () => this.#binding.dump({ kinds: ['links'] }));
    if (!links.some((link) => link.kind === 'bridge' && link.name === before.bridge)) return;
    const message = `network ${name} is there with the layout ${layoutName(before)}, not ${layoutName(layout)}`;
    throw new NetworkError('ERR_BRIDGE_CONFLICT', withRemedy('ERR_BRIDGE_CONFLICT', message), {
      step: 'conflist',
      network: name,
    });
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

  /** The first, and those that are there already: VMs may be behind them. */
  async #bridges(): Promise<readonly Bridge[]> {
    this.#scope.step = 'bridge';
    const bridges: Bridge[] = [];
    for (const plan of await presentBridges(this.#binding, this.#network)) {
      const { name } = plan;
      const { created, mac } = await atStep('bridge', () =>
        this.#task((taskId) => this.#binding.bridgeEnsure({ ...plan, taskId })),
      );
      if (created) this.#undos.push(() => this.#binding.linkDelete({ name }));
      bridges.push({ name, mac });
    }
    return bridges;
  }

  async #subnetRoutes(): Promise<void> {
    for (const destination of unreachableSubnets(this.#network)) {
      this.#scope.step = 'routes';
      const added = await atStep('routes', () => this.#binding.hostRouteAdd({ destination }));
      if (added) this.#undos.push(() => this.#binding.hostRouteRemove({ destination }));
    }
  }

  async #firewall(): Promise<void> {
    const { name } = this.#network;
    this.#scope.step = 'firewall';
    try {
      const known = await this.#binding.firewallList({});
      await this.#networkFirewall.ensure(this.#scope);
      if (!known.includes(name)) this.#undos.push(() => this.#binding.firewallRemove({ network: name }));
      if (this.#network.guarded) await this.#guard();
    } catch (error) {
      throw asFirewallError(name, error);
    }
  }

  /** The table is everybody's: it goes only while nobody has a port in it. */
  async #guard(): Promise<void> {
    const routed = this.#network.layout?.linkGroup != null;
    const made = await this.#task((taskId) => this.#binding.guardEnsure({ routed, taskId }));
    if (made) this.#undos.push(() => this.#binding.guardRemoveUnused({}));
  }

  async #forwarding(): Promise<void> {
    this.#scope.step = 'forwarding';
    const { ipv6 } = this.#network.firewall;
    if (ipv6) await atStep('forwarding', () => this.#keepRouters());
    for (const key of ipv6 ? [ipv4Forwarding, ipv6Forwarding] : [ipv4Forwarding]) {
      await atStep('forwarding', () => this.#binding.sysctlWrite({ key, value: '1' }));
    }
  }

  /**
   * Where the host's own way out was advertised to it: who forwards believes no router any more, and forgets those that it
   * has (rt6_purge_dflt_routers of net/ipv6/route.c), but on links on which it is told to.
   */
  async #keepRouters(): Promise<void> {
    if ((await this.#binding.sysctlRead({ key: ipv6Forwarding })) === '1') return;
    const { links, routes } = await this.#binding.dump({ kinds: ['links', 'routes'] });
    const advertised = routes.filter(({ family, protocol }) => family === 6 && protocol === byAdvertisement);
    const uplinks = new Set(advertised.map(({ link }) => link));
    for (const { name } of links.filter(({ index }) => uplinks.has(index))) {
      const key = `net/ipv6/conf/${name}/accept_ra`;
      if ((await this.#binding.sysctlRead({ key })) !== '1') continue;
      await this.#binding.sysctlWrite({ key, value: '2' });
    }
  }

  #task<T>(start: (taskId: number) => Promise<T>): Promise<T> {
    return runTask(this.#binding, this.#scope, start);
  }
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
export async function dismantleNetwork(binding: NativeBinding, network: Network): Promise<void> {
  const { name, generated } = network;
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
  if (generated === null) return;
  const file = { directory: generated.confDir, name: `${name}.conflist` };
  await atStep('conflist', async () => {
    const text = await binding.fileRead({ ...file, limit: conflistLimit });
    if (text !== null && isGenerated(text)) await binding.fileRemove(file);
  });
}
