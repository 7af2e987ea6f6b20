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

/** Slots: networks that are complete except for the name of their VM. A setup that gets one does not wait for rtnetlink's lock. */
export interface PoolOptions {
  /** The least number of ready slots, 0 to 10,000. */
  readonly min: number;
  /**
   * Most slots, ready or resting, 1 to 10,000; up to 64 more may briefly exist right after teardowns. Between `min` and `max`, the
   * pool keeps as many ready as the recent demand per second.
   */
  readonly max: number;
  /** The TAP name of all slots; a setup that asks for another gets no slot. Default `tap0`. */
  readonly tapName?: string | undefined;
  /** Default: our effective ids. */
  readonly tapOwner?: TapOwner | undefined;
  /**
   * Whether a slot is reused after its VM's teardown, if it can be proven unchanged; otherwise it is destroyed. Default: true,
   * unless `antiSpoofing` is false, because then it is unknown which addresses a VM has used.
   */
  readonly recycle?: boolean | undefined;
  /**
   * How long such a slot, and its address, rest before they are reused, in milliseconds: what others still send to the old
   * VM meanwhile reaches nobody. Default: 0 with `isolated`, otherwise 1,000.
   */
  readonly restMs?: number | undefined;
}

export interface NetworkManagerOptions {
  /**
   * The network's name: at most 100 characters, `^[A-Za-z0-9][A-Za-z0-9_.-]*$`. Default `fcnet`; with `conflist`, the name in that
   * file.
   */
  readonly network?: string | undefined;
  /** What builds attachments: this process itself by netlink, or a chain of CNI plugins. Default `native`. */
  readonly backend?: BackendName | undefined;
  /**
   * `bridge`: one, which ends at 1,023 VMs. `bridges`: as many as the VMs need, added as they come, with the host routing
   * between them. `routed`: none; the host routes to each VM. The last two are for IPv4 and `native`. Default `bridge`. This option and those
   * down to `addressDir` can't be combined with `conflist`, which says all that itself.
   */
  readonly layout?: NetworkLayout | undefined;
  /**
   * How many VMs a bridge of several gets before another one is added; then they are filled evenly. 1 to 1,023; only with
   * `layout: 'bridges'`. Default 256.
   */
  readonly portsPerBridge?: number | undefined;
  /**
   * The bridge, or the first of several (the others have its name with `-1`, `-2`, ...); in a routed network, the one
   * that holds the gateway's address and has no ports. Default `fcbr0`.
   */
  readonly bridge?: string | undefined;
  /** CIDR. Default `10.168.0.0/24`. */
  readonly subnet?: string | undefined;
  /** Default: the first host address of the subnet. */
  readonly gateway?: string | undefined;
  /** The parts of the subnet from which guests get addresses. Default: all host addresses. */
  readonly ranges?: readonly AddressRangeOption[] | undefined;
  /** Bytes, 68 to 65,521. Default: that of the link of the host's default route, else 1500. */
  readonly mtu?: number | undefined;
  /**
   * Whether a guest's frames may come back to it, so that it reaches itself through an address that the host translates;
   * not if it is `isolated`. Default false.
   */
  readonly hairpin?: boolean | undefined;
  /**
   * Whether guests of this network are kept from each other, and from those of other isolated networks, also by way of the
   * gateway. They do reach the gateway and what is beyond it. If the host filters bridged frames as well (br_netfilter), they
   * reach no other port of their bridge. Default false.
   */
  readonly isolated?: boolean | undefined;
  /** Whether the bridge takes all frames, whatever their destination. Not together with `hairpin`. Default false. */
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
   * Absolute path of a conflist of your own, taken as it is: any chain of CNI 0.3.0 or later that ends in tc-redirect-tap. The native
   * backend builds it if it has only bridge, host-local and tc-redirect-tap, and routes with only `dst` and `gw`, and refuses it
   * otherwise. With `cni`, one that leaves VMs no link on the host needs `antiSpoofing: false` and `hostAccess: 'all'`.
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
  /** Whether guests may reach 169.254.0.0/16, and have addresses in it. Default false. */
  readonly allowLinkLocal?: boolean | undefined;
  /** Whether what guests send with another's MAC or IP address is dropped. Default true. */
  readonly antiSpoofing?: boolean | undefined;
  /** Whether what leaves the network gets the host's address. Default true. */
  readonly masquerade?: boolean | undefined;
  /**
   * Setups without `mac` and `address` are served from a pool, and build their own network if it has none ready: the
   * `origin` of the result says which. Each TAP name and owner has a pool of its own. For `native`. Default: none.
   */
  readonly pool?: PoolOptions | readonly PoolOptions[] | undefined;
  /**
   * What `open` does about what `verify` finds. `warn`: logs errors and warnings. `throw`: rejects with ERR_VERIFY if there is an
   * error, and logs warnings. `off`: does not look. Default `warn`.
   */
  readonly verify?: 'warn' | 'throw' | 'off' | undefined;
  /** What `close` does with what this manager set up. Default `teardown`. */
  readonly shutdown?: 'teardown' | 'leave' | undefined;
  /**
   * At each of these signals the manager closes. Once all managers of the process that watch it have closed, it takes its usual
   * effect, unless the application has its own listener for it; so does one that comes while `close` is under way. Refused in
   * a worker thread, which never receives signals. Default: none.
   */
  readonly signals?: readonly CloseSignal[] | undefined;
  /**
   * Default: warnings and errors become process warnings (`VulcanNetWarning`), and `NODE_DEBUG=vulcan-net` prints the rest. What
   * a logger throws is also printed by `NODE_DEBUG`, and has no other effect.
   */
  readonly logger?: Logger | undefined;
  /** How long a verb may take, `open` itself among them, in milliseconds: 1 to 2,147,483,647. Default 60,000. */
  readonly timeoutMs?: number | undefined;
  /** How long one run of a plugin may take, in milliseconds, likewise. Default 20,000. */
  readonly pluginTimeoutMs?: number | undefined;
}

/** What every verb except `teardown` takes; for `open`, the second argument. */
export interface VerbOptions {
  /**
   * Aborting it stops the verb, like a time-out. `open` and `setup` undo what they did; what `repair` put back stays. `gc`
   * finishes the removals under way and begins no more; what it has only taken off the network by then is removed by the next
   * `gc` or a teardown.
   */
  readonly signal?: AbortSignal | undefined;
  /** Default: the manager's. */
  readonly timeoutMs?: number | undefined;
}

export interface SetupOptions extends VerbOptions {
  /** The guest's MAC address. Default: derived from the vmId, so the same on every start; with a pool, the slot's; with `cni`, chosen by the kernel. */
  readonly mac?: string | undefined;
  /** The guest's address, without prefix: a free one of the network. Default: the next free one. */
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
  /** Waits until the kernel has freed the namespace, which therefore isn't reused as a slot. Default false. */
  readonly wait?: boolean | undefined;
}

export interface GcOptions extends VerbOptions {
  /** The vmIds that stay; every other attachment of this network is removed. */
  readonly keep: readonly string[];
}
