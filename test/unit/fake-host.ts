import { posix } from 'node:path';
import type { Host } from '../../lib/backends/network/runtime.ts';
import type { GuardedPort } from '../../lib/native/attachment.ts';
import type { NativeBinding } from '../../lib/native/binding.ts';
import type { BridgePlan, FirewallNetwork } from '../../lib/native/engine.ts';
import type { DumpPlan, LinkInfo, LinkPlan } from '../../lib/native/netlink.ts';
import type { Survey, SurveyPlan } from '../../lib/native/survey.ts';
import type { AnchorPlan, AnchorState, LockHandle, LockPlan } from '../../lib/native/sys.ts';
import { type Answer, FakeFiles, FakeRunner, golden, type Seen } from './cni/fakes.ts';

/** What the recorded result calls its container, its namespace and the link on the host. */
export const goldenId = 'cnitool-0a30e4aadb6e5e167d22';
export const goldenHostLink = 'vethac4e7c06';

interface GoldenResult {
  readonly interfaces: readonly object[];
  readonly ips: readonly object[];
}

/** The recorded result of the chain, as it was after its first plugin. */
export function bridgeResult(): string {
  const { interfaces, ips, ...rest } = JSON.parse(golden('basic/add-result.json')) as GoldenResult;
  return JSON.stringify({ ...rest, interfaces: interfaces.slice(0, 3), ips: ips.slice(0, 1) });
}

const link = (name: string, change: Partial<LinkInfo> = {}): LinkInfo => ({
  ...{ index: 1, name, kind: 'veth', mac: '22:93:1f:e0:e0:87', mtu: 1500, up: true, lowerUp: true },
  ...{ master: 0, peer: 0, alias: '', group: 0, portState: 3, dormant: false, rising: false },
  ...{ hairpin: false, isolated: false, guestPort: true, tapUid: -1, tapGid: -1, ...change },
});

/** Plugins that answer what the reference plugins once answered, and remember what they have to delete. */
class GoldenPlugins {
  /** `type containerId`: added, and not deleted since. */
  readonly added = new Set<string>();
  /** Instead of the recorded answer; the plugin has done its work by then. */
  misbehave: ((seen: Seen) => Answer | null) | null = null;
  readonly #host: FakeHost;

  constructor(host: FakeHost) {
    this.#host = host;
  }

  answer(seen: Seen): Answer {
    const usual = this.#usual(seen);
    return this.misbehave?.(seen) ?? usual;
  }

  #usual({ type, command, env }: Seen): Answer {
    if (command === 'VERSION') return golden('errors/version.out');
    const work = `${type} ${env['CNI_CONTAINERID']}`;
    if (command === 'ADD') {
      this.added.add(work);
      if (type === 'bridge') this.#host.links.set(goldenHostLink, link(goldenHostLink));
      return type === 'bridge' ? bridgeResult() : golden('basic/add-result.json');
    }
    if (command === 'DEL') {
      this.added.delete(work);
      if (type === 'bridge' && env['CNI_NETNS'] !== '') this.#host.links.delete(goldenHostLink);
    }
    return '';
  }
}

/** A host in memory. Nothing of it needs privilege, a kernel or a plugin. */
export class FakeHost implements Host {
  readonly bundledPluginDir = '/package/plugins';
  readonly plugins = new GoldenPlugins(this);
  readonly runner = new FakeRunner((seen) => this.plugins.answer(seen));
  readonly files = new FakeFiles();
  readonly links = new Map<string, LinkInfo>();
  readonly firewall = new Map<string, FirewallNetwork>();
  guarded: Map<string, GuardedPort> | null = null;
  readonly firewallPlans: FirewallNetwork[] = [];
  readonly bridges = new Map<string, BridgePlan>();
  /** Namespaces by path, each with whether it was made under its lock. */
  readonly anchors = new Map<string, boolean>();
  readonly changes: LinkPlan[] = [];
  /** Rejects the change of a link, when set. */
  refuse: ((plan: LinkPlan) => Error | null) | null = null;
  /** Each release of a lock: which, and whether its file went with it. */
  readonly released: { readonly name: string; readonly remove: boolean }[] = [];
  readonly #locked: string[] = [];

  /** All that a VM leaves, as text. */
  get left(): string {
    return JSON.stringify({
      plugins: [...this.plugins.added],
      links: [...this.links.keys()],
      anchors: [...this.anchors.keys()],
      guarded: [...(this.guarded?.keys() ?? [])],
      records: [...this.files.files.keys()].filter((path) => path.includes('/results/')),
    });
  }

  get binding(): NativeBinding {
    const { runner, files } = this;
    const kernel = {
      exec: runner.exec.bind(runner),
      cancel: runner.cancel.bind(runner),
      fileFind: runner.fileFind.bind(runner),
      isHostNamespace: runner.isHostNamespace.bind(runner),
      directoryEnsure: files.directoryEnsure.bind(files),
      fileRead: files.fileRead.bind(files),
      // The address store has been used: it has its lock.
      fileVersion: async (plan: { readonly directory: string; readonly name: string }) =>
        plan.name === 'lock' ? { inode: 1, modifiedMs: 0 } : files.fileVersion(plan),
      fileWrite: files.fileWrite.bind(files),
      fileRemove: files.fileRemove.bind(files),
      fileList: files.fileList.bind(files),
      fileReadAll: files.fileReadAll.bind(files),
      ...this.#locks(),
      ...this.#anchors(),
      ...this.#kernel(),
      ...this.#firewall(),
    };
    const missing = (name: string) => async (): Promise<never> => {
      throw new Error(`the fake host has no ${name}`);
    };
    // Only what the cni backend is known to call is there.
    return new Proxy(kernel as unknown as NativeBinding, {
      get: (target, name: string) => target[name as keyof NativeBinding] ?? missing(name),
    });
  }

  #locks() {
    return {
      lockAcquire: async ({ name }: LockPlan) => this.#locked.push(name) - 1,
      lockRelease: async ({ lock, remove }: { readonly lock: LockHandle; readonly remove: boolean }) =>
        void this.released.push({ name: this.#locked[lock] ?? '', remove }),
    };
  }

  #anchors() {
    const state = async ({
      directory,
      name,
    }: Pick<AnchorPlan, 'directory' | 'name'>): Promise<AnchorState> => {
      const claimed = this.anchors.get(posix.join(directory, name));
      const kind = claimed === undefined ? 'absent' : 'namespace';
      return {
        kind,
        inode: 1,
        device: 1,
        claimed: claimed ?? false,
        container: null,
        ageMs: 0,
        isHost: false,
      };
    };
    return {
      anchorState: state,
      anchorCreate: async (plan: AnchorPlan) => {
        this.anchors.set(posix.join(plan.directory, plan.name), true);
        return state(plan);
      },
      anchorRemove: async ({ directory, name }: AnchorPlan) =>
        void this.anchors.delete(posix.join(directory, name)),
      anchorList: async ({ directory, prefix }: { readonly directory: string; readonly prefix: string }) =>
        [...this.anchors.keys()]
          .filter((path) => path.startsWith(`${directory}/${prefix}`))
          .map((path) => posix.basename(path)),
      survey: async ({ prefix }: SurveyPlan): Promise<Survey> => ({
        ...{ claims: [], guarded: [], addresses: [], links: [...this.links.values()] },
        anchors: [...this.anchors]
          .map(([path, claimed]) => ({ name: posix.basename(path), claimed }))
          .filter(({ name }) => name.startsWith(prefix))
          .map((anchor) => ({
            ...anchor,
            kind: 'namespace',
            inode: 1,
            device: 1,
            container: null,
            ageMs: 0,
            isHost: false,
          })),
      }),
      inhabitedNamespaces: async () => [],
      namespaceHolders: async () => [[]],
      mountState: async () => ({ hostMountNamespace: true, shared: true }),
    };
  }

  #kernel() {
    const inside = [link('eth0'), link('tap0', { kind: 'tun' })];
    return {
      dump: async ({ netns }: DumpPlan) => ({
        links: netns === undefined ? [...this.links.values()] : inside,
        ...{ addresses: [], routes: [], qdiscs: [], filters: [] },
      }),
      linkSet: async (plan: LinkPlan) => {
        const refused = this.refuse?.(plan) ?? null;
        if (refused !== null) throw refused;
        this.changes.push(plan);
        const old = this.links.get(plan.name);
        const { master: _master, ...changed } = plan;
        if (old !== undefined) this.links.set(plan.name, { ...old, ...changed });
        return old !== undefined;
      },
      linkDelete: async ({ name }: { readonly name: string }) => this.links.delete(name),
      bridgeEnsure: async (plan: BridgePlan) => {
        const created = !this.bridges.has(plan.name);
        this.bridges.set(plan.name, plan);
        return { created, mac: plan.mac, mtu: 1500 };
      },
      sysctlRead: async () => '1',
      sysctlWrite: async () => false,
      capabilities: async () => '000001ffffffffff',
      probe: async () => [],
      foreignChains: async () => [],
      legacyForeignChains: async () => [],
    };
  }

  #firewall() {
    return {
      firewallList: async () => [...this.firewall.keys()],
      firewallEnsure: async ({ taskId, ...plan }: FirewallNetwork & { readonly taskId?: number }) => {
        this.firewallPlans.push(plan);
        this.firewall.set(plan.network, plan);
        return 1;
      },
      firewallRequire: async () => {},
      guardCheck: async () => [],
      guardEnsure: async () => {
        const made = this.guarded === null;
        this.guarded ??= new Map();
        return made;
      },
      guardAdd: async ({ link, bindings }: GuardedPort) => void this.guarded?.set(link, { link, bindings }),
      guardRemove: async ({ link }: GuardedPort) => void this.guarded?.delete(link),
      guardList: async () => [...(this.guarded?.values() ?? [])],
      guardRemoveUnused: async () => {
        if (this.guarded?.size === 0) this.guarded = null;
        return this.guarded === null;
      },
      firewallCheck: async () => [],
      firewallRemove: async ({ network }: { readonly network: string }) => void this.firewall.delete(network),
    };
  }
}
