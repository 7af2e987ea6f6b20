import { dirname } from 'node:path';
import { ResultCache } from '../../cni/cache.ts';
import { Chain, type ChainOptions } from '../../cni/chain.ts';
import { parseAnyConf } from '../../cni/conflist.ts';
import { withFolderPlugins } from '../../cni/discovery.ts';
import type { CacheRecord, ConfList } from '../../cni/types.ts';
import type { NativeBinding } from '../../native/binding.ts';
import { defaultLogger, pluginRan } from '../../observe.ts';
import type { Config } from '../../settings.ts';
import { Anchors } from '../host/anchor.ts';
import { LeftConnections } from '../host/left-connections.ts';
import { Locks } from '../host/locks.ts';
import { NamespaceWait } from '../host/namespace-wait.ts';
import { addressStoreOf } from './addresses.ts';
import { NetworkFirewall } from './firewall.ts';
import type { Bridge, Network } from './network.ts';

/** Where the addon, and the plugin that comes with it, are; tests put stand-ins in their place. */
export interface Host {
  readonly binding: NativeBinding;
  readonly bundledPluginDir: string;
}

/** What the verbs of a backend work with. */
export class Runtime {
  readonly binding: NativeBinding;
  readonly bundledPluginDir: string;
  readonly config: Config;
  readonly network: Network;
  readonly anchors: Anchors;
  readonly locks: Locks;
  readonly cache: ResultCache;
  readonly firewall: NetworkFirewall;
  readonly leftConnections: LeftConnections;
  readonly namespaceWait: NamespaceWait;
  readonly chainOptions: ChainOptions;
  /** Those that were made, or found, for the network, from the first on; none where the chain makes its own. */
  bridges: readonly Bridge[] = [];

  constructor({ binding, bundledPluginDir }: Host, config: Config, network: Network) {
    this.binding = binding;
    this.bundledPluginDir = bundledPluginDir;
    this.config = config;
    this.network = network;
    this.anchors = new Anchors(binding, config.netnsDir);
    this.locks = new Locks(binding, config.stateDir, network.name);
    this.cache = new ResultCache(binding, config.stateDir);
    this.firewall = new NetworkFirewall(binding, network, this.locks);
    this.leftConnections = new LeftConnections({
      ...{ binding, directory: addressStoreOf(network), network: network.name },
      logger: config.logger ?? defaultLogger,
    });
    this.namespaceWait = new NamespaceWait(binding);
    this.chainOptions = {
      runner: binding,
      pluginDirs: [...config.pluginDirs, bundledPluginDir],
      timeoutMs: config.pluginTimeoutMs,
      onPlugin: (event) => pluginRan(network.name, event),
    };
  }

  /** What links have where neither the configuration nor the kernel says it any more. */
  get defaultMtu(): number {
    return this.network.mtu;
  }

  /** The chain as it is configured now. */
  get chain(): Chain {
    return new Chain(this.network.list, this.chainOptions);
  }

  /** The chain that made the attachment: a conflist may have changed since. */
  async chainOf({ config }: CacheRecord): Promise<Chain> {
    return config === '' ? this.chain : new Chain(await this.#recordedList(config), this.chainOptions);
  }

  /** A record has no more than the conflist's own text. */
  async #recordedList(text: string): Promise<ConfList> {
    if (text === this.network.list.text) return this.network.list;
    const list = parseAnyConf(text, 'the record');
    const { source } = this.config;
    return source.kind === 'own' ? withFolderPlugins(this.binding, dirname(source.path), list) : list;
  }
}
