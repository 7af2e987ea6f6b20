/** What users pass in. Everything has a default; the types here import plain data alone. */
import type { BackendName, HostAccessRule, Logger, NetworkDns, NetworkLayout, TapOwner } from './types.ts';

/** A route for guests, of the network's family; without a gateway it is the network's own. */
export interface RouteOption {
  /** CIDR: `0.0.0.0/0`. */
  readonly destination: string;
  readonly gateway?: string | null | undefined;
}

/** Addresses from `start` to `end`, both included. */
export interface AddressRangeOption {
  readonly start: string;
  readonly end: string;
}

/** A signal at which a manager closes itself. */
export type CloseSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT';

/** Slots: networks that are complete but for the name of their VM. A setup that gets one does not wait for rtnetlink's lock. */
export interface PoolOptions {
  /** How many are ready at least. */
  readonly min: number;
  /** How many are ready, or rest, at most, but for a moment 64 more that VMs have just left; between the two, as many are ready as were asked for within a second, lately. */
  readonly max: number;
  /** What the slots have; a setup that wants another gets none of them. Default `tap0`. */
  readonly tapName?: string | undefined;
  /** Default: our effective ids. */
  readonly tapOwner?: TapOwner | undefined;
  /**
   * Whether a slot is the pool's again once its VM is torn down, if it can be proven to be as it was made; else it is destroyed.
   * Default: unless `antiSpoofing` is false, as then nobody knows which addresses a VM has spoken for.
   */
  readonly recycle?: boolean | undefined;
  /**
   * How long such a slot, and its address, rest before they are anybody's, in milliseconds: what others still send to the old
   * VM comes to nobody. Default: 0 with `isolated`, else 1,000.
   */
  readonly restMs?: number | undefined;
}

export interface NetworkManagerOptions {
  /** The network's name. Default `fcnet`; with `conflist`, the name in that file. */
  readonly network?: string | undefined;
  /** What builds attachments: this process itself by netlink, or a chain of CNI plugins. Default `native`. */
  readonly backend?: BackendName | undefined;
  /**
   * `bridge`: one, which ends at 1,023 VMs. `bridges`: as many as the VMs need, added as they come, with the host routing
   * between them. `routed`: none; the host routes to each VM. The last two are for IPv4 and `native`. Default `bridge`. This and the rest down
   * to `addressDir` are not for `conflist`, which says it itself.
   */
  readonly layout?: NetworkLayout | undefined;
  /** How many VMs a bridge of several gets before another one is added; then they are filled evenly. Default 256. */
  readonly portsPerBridge?: number | undefined;
  /**
   * The bridge, or the first of several (the others have its name with `-1`, `-2`, ...); of a routed network, what holds the
   * gateway's address, and has no ports. Default `fcbr0`.
   */
  readonly bridge?: string | undefined;
  /** CIDR. Default `10.168.0.0/24`. */
  readonly subnet?: string | undefined;
  /** Default: the first host address of the subnet. */
  readonly gateway?: string | undefined;
  /** The parts of the subnet that guests get addresses of. Default: all host addresses. */
  readonly ranges?: readonly AddressRangeOption[] | undefined;
  /** Bytes. Default: that of the link of the host's default route, else 1500. */
  readonly mtu?: number | undefined;
  /**
   * Whether a guest's frames may come back to it: it reaches itself by an address that the host translates, unless it is
   * `isolated`. Default false.
   */
  readonly hairpin?: boolean | undefined;
  /**
   * Whether guests of this network are kept from each other, and from those of other networks that are isolated, also by way of
   * the gateway; the gateway, and what is beyond it, they reach. Where the host has bridged frames filtered as well
   * (br_netfilter), they reach no other port of their bridge. Default false.
   */
  readonly isolated?: boolean | undefined;
  /** Whether the bridge takes all frames, for whomever they are. Not together with `hairpin`. Default false. */
  readonly promiscuous?: boolean | undefined;
  /** What guests are told about name resolution. Default: nothing. */
  readonly dns?: Partial<NetworkDns> | undefined;
  /** Default: one default route. */
  readonly routes?: readonly RouteOption[] | undefined;
  /** Where the generated conflist is written. Default `/etc/cni/conf.d`. */
  readonly confDir?: string | undefined;
  /** The address store, as host-local keeps it. Default `/run/cni/networks`. */
  readonly addressDir?: string | undefined;
  /**
   * Path of a conflist of your own, taken as it is: any chain of CNI 0.3.0 or later that ends in tc-redirect-tap. The native
   * backend builds what it says where that is bridge, host-local and tc-redirect-tap, routes that are `dst` and `gw` alone, and refuses
   * it otherwise. By `cni`, one that leaves VMs no link on the host needs `antiSpoofing: false` and `hostAccess: 'all'`.
   */
  readonly conflist?: string | undefined;
  /** Searched in order, before the directory of the plugin that comes with this package. Default `/opt/cni/bin`, `/usr/lib/cni`. */
  readonly pluginDirs?: readonly string[] | undefined;
  /** Records and locks. Default `/run/cni` for `native`, `/var/lib/cni` for `cni`. */
  readonly stateDir?: string | undefined;
  /** Where the namespaces' names are. Default `/var/run/netns`. */
  readonly netnsDir?: string | undefined;
  /** The redirected link inside the namespace. Default `eth0`. */
  readonly ifName?: string | undefined;
  /** Services of the host that guests may reach, or `'all'`. Default: none. */
  readonly hostAccess?: 'all' | readonly HostAccessRule[] | undefined;
  /** Whether guests may reach 169.254.0.0/16, and be in it. Default false. */
  readonly allowLinkLocal?: boolean | undefined;
  /** Whether what guests send with another's MAC or IP address is dropped. Default true. */
  readonly antiSpoofing?: boolean | undefined;
  /** Whether what leaves the network gets the host's address. Default true. */
  readonly masquerade?: boolean | undefined;
  /**
   * Set-ups without `mac` and `address` are served from a pool, and build their own network where it has none ready: the
   * `origin` of what they return says which. Each TAP name and owner has a pool of its own. For `native`. Default: none.
   */
  readonly pool?: PoolOptions | readonly PoolOptions[] | undefined;
  /** What `open` does about what is missing. Default `warn`: it logs. */
  readonly verify?: 'warn' | 'throw' | 'off' | undefined;
  /** What `close` does about what this manager set up. Default `teardown`. */
  readonly shutdown?: 'teardown' | 'leave' | undefined;
  /**
   * At each of these signals the manager closes. Once all managers of the process that watch it have closed, it takes its usual
   * effect, unless the application listens to it too; so does one that comes while `close` is under way. Refused in a
   * worker thread, as signals never come to one. Default: none.
   */
  readonly signals?: readonly CloseSignal[] | undefined;
  /**
   * Default: warnings and errors are warnings of the process (`VulcanNetWarning`), and `NODE_DEBUG=vulcan-net` prints the rest. That
   * also prints what a logger throws, which changes nothing else.
   */
  readonly logger?: Logger | undefined;
  /** How long a verb may take, `open` itself among them. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  /** How long one run of a plugin may take. Default 20,000. */
  readonly pluginTimeoutMs?: number | undefined;
}

/** What every verb takes but `teardown`; `open` as its second argument. */
export interface VerbOptions {
  /**
   * Aborting it stops the verb, as its time-out does. `open` undoes what it had prepared, and `setup` undoes what it had begun; what `repair` has put back stays so. `gc`
   * ends what it is removing, and begins no more: what it has taken off the network by then, the next `gc` or a teardown removes.
   */
  readonly signal?: AbortSignal | undefined;
  /** Default: the manager's. */
  readonly timeoutMs?: number | undefined;
}

export interface SetupOptions extends VerbOptions {
  /** The guest's MAC address. Default: one of the vmId, the same whenever it starts; with `pool` that of the slot; for `cni` the kernel's choice. */
  readonly mac?: string | undefined;
  /** The guest's address, without prefix: one of the network's that nobody has. Default: the next free one. */
  readonly address?: string | undefined;
  /** Who may open the TAP device. Default: our effective ids. */
  readonly tapOwner?: TapOwner | undefined;
  /** Default `tap0`. */
  readonly tapName?: string | undefined;
  /** Default: the vmId. */
  readonly containerId?: string | undefined;
}

export interface TeardownOptions {
  /** Default: the manager's. A teardown can't be aborted. */
  readonly timeoutMs?: number | undefined;
  /** Waits until the kernel has freed the namespace, which is then no slot again. Default false. */
  readonly wait?: boolean | undefined;
}

export interface GcOptions extends VerbOptions {
  /** The vmIds that stay; every other attachment of this network is removed. */
  readonly keep: readonly string[];
}
