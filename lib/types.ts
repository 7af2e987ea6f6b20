/** What users see: plain, readonly data. Nothing here imports anything. */

/** What builds attachments. */
export type BackendName = 'cni' | 'native';

/** What stands between the VMs of a network: one bridge, several with routes between them, or routes alone. */
export type NetworkLayout = 'bridge' | 'bridges' | 'routed';

/** The verb of {@link NetworkManager} that an error or an event belongs to. */
export type Operation =
  | 'open'
  | 'setup'
  | 'teardown'
  | 'verify'
  | 'check'
  | 'list'
  | 'gc'
  | 'repair'
  | 'removeNetwork'
  | 'warmUp'
  | 'close';

/** One address of a VM. */
export interface NetworkAddress {
  readonly family: 4 | 6;
  /** The guest's address, without prefix: `10.168.0.2`. */
  readonly ip: string;
  readonly prefixLength: number;
  /** The gateway on the same subnet, or `null` where the network has none. */
  readonly gateway: string | null;
}

/** A route for the guest. `gateway: null` means the gateway of the address's family. */
export interface NetworkRoute {
  /** CIDR: `0.0.0.0/0`. */
  readonly destination: string;
  readonly gateway: string | null;
}

/** Name resolution for the guest; empty lists where the network says nothing. */
export interface NetworkDns {
  readonly nameservers: readonly string[];
  readonly domain: string | null;
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** The owner of a TAP device: who may attach a VMM to it. */
export interface TapOwner {
  readonly uid: number;
  readonly gid: number;
}

/** Whether a network was ready before its VM, in a pool, or built for it. */
export type Origin = 'warm' | 'cold';

/** A VM's network, as `setup` returns it and `list` finds it again. */
export interface NetworkConfig {
  readonly vmId: string;
  /** The network's name: `fcnet`. */
  readonly network: string;
  readonly backend: BackendName;
  readonly origin: Origin;
  readonly containerId: string;
  /** The link inside the namespace that the TAP is redirected to: `eth0`. */
  readonly ifName: string;
  /** The TAP device inside the namespace: what the VMM opens. */
  readonly tapName: string;
  /** The MAC address that the guest's interface must have. */
  readonly mac: string;
  /** `/var/run/netns/vulcan-<vmId>`: what a VMM or jailer enters. */
  readonly netnsPath: string;
  /** Bytes; the guest's interface should have the same. */
  readonly mtu: number;
  /** All addresses; the truth. The three fields below are those of the first IPv4 address, else of the first IPv6. */
  readonly addresses: readonly NetworkAddress[];
  readonly guestIp: string;
  readonly gatewayIp: string | null;
  readonly prefixLength: number;
  readonly routes: readonly NetworkRoute[];
  readonly dns: NetworkDns;
  /** The CNI result, in the version of the network's configuration. `native` composes it when it is first looked at. */
  readonly result: Readonly<Record<string, unknown>>;
}

/** Pino's four methods; `console` fits too. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** A service of the host that guests may reach. */
export interface HostAccessRule {
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

/** What `verify` found. */
export interface VerifyFinding {
  /** Stable, for programs: `plugin.missing`, `kernel.u32`, `forward.foreign-drop`; the README has them all. */
  readonly id: string;
  /** `error`: set-ups will fail; `warning`: they may; `notice`: worth knowing. */
  readonly severity: 'error' | 'warning' | 'notice';
  /** What is wrong: one sentence. */
  readonly message: string;
  /** What to do about it: a command, or a sentence. */
  readonly remedy: string;
}

export interface VerifyPlugin {
  readonly type: string;
  /** The executable, or `null` when none of the directories has it. */
  readonly path: string | null;
  /** Whether it is the `tc-redirect-tap` that comes with this package. */
  readonly bundled: boolean;
  /** CNI versions it speaks; empty when it could not be asked. */
  readonly versions: readonly string[];
}

/** One report for people (`toString()`) and programs. */
export interface VerifyReport {
  /** Whether there is no finding of severity `error`. */
  readonly ok: boolean;
  readonly findings: readonly VerifyFinding[];
  readonly plugins: readonly VerifyPlugin[];
  toString(): string;
}

/**
 * What of an attachment may differ from what its setup left: on the host `record`, `anchor` (the namespace's name),
 * `link` (the host's end: there, up, not cut), `alias`, `bridge` (whose port it is, with which options), `guard`, `firewall`, `reservation`
 * (its address in the store); inside `link`, `mac`, `mtu`, `address`, `route`, `tap`, `tap-owner`, `qdisc`, `filter`;
 * of the host itself `forwarding`; and what a plugin's own CHECK says.
 */
export type DifferenceSubject =
  | 'record'
  | 'anchor'
  | 'link'
  | 'alias'
  | 'bridge'
  | 'guard'
  | 'firewall'
  | 'forwarding'
  | 'reservation'
  | 'mac'
  | 'mtu'
  | 'address'
  | 'route'
  | 'tap'
  | 'tap-owner'
  | 'qdisc'
  | 'filter'
  | `plugin:${string}`;

/** One thing that is not as it should be. */
export interface Difference {
  readonly subject: DifferenceSubject;
  readonly message: string;
}

export interface CheckReport {
  readonly ok: boolean;
  readonly differences: readonly Difference[];
}

/** What `repair` did. */
export interface RepairReport {
  /** Whether nothing differs any more. */
  readonly ok: boolean;
  /** `vmId: null`: the network's own, and not put back with one of its VMs. */
  readonly repaired: readonly (Difference & { readonly vmId: string | null })[];
  /**
   * What still differs, with why; `null` where only a teardown and a new setup can help. ERR_ATTACHMENT_LOST: of the VM too
   * little is left to be put back; `record` or `anchor` with another error: it could not be judged. Neither was touched.
   */
  readonly failed: readonly (Difference & { readonly vmId: string | null; readonly error: Error | null })[];
}

/** What `open` found of earlier processes and brought to order; what is complete is in `list()`. */
export interface RecoveryReport {
  /** VMs of which only a part was there: that part is gone. */
  readonly removed: readonly string[];
  /** VMs in use whose record, or claim of their namespace, was lost and is written again. */
  readonly restored: readonly string[];
  /**
   * VMs that could not be judged, not be removed, or not be given back what guards them; the next `open` tries again, and so does
   * `gc`, or for those that live `repair`.
   */
  readonly failed: readonly { readonly vmId: string; readonly error: Error }[];
}

/**
 * `complete`: its namespace is there under its name. `detached`: it has lost its name, but lives, as its link shows;
 * `repair` names it again. `dead`: the namespace is gone; what it had is removed by `teardown`, `gc` and the next `open`.
 */
export type AttachmentState = 'complete' | 'detached' | 'dead';

/** An attachment that exists, whoever made it. */
export interface Attachment {
  /** From the anchor's name; `null` when the namespace is not one of ours by name. */
  readonly vmId: string | null;
  readonly network: string;
  readonly containerId: string;
  readonly ifName: string;
  readonly netnsPath: string;
  readonly state: AttachmentState;
  /** Whether the VM may live: `state` is not `dead`. */
  readonly alive: boolean;
  /** `null` when the record holds no result with a TAP. */
  readonly config: NetworkConfig | null;
}

/** What `gc` removed. If only one of the two ids is known, both fields hold it. */
export interface Removed {
  /** By which `keep` would have kept it. */
  readonly vmId: string;
  readonly containerId: string;
}

export interface GcReport {
  readonly removed: readonly Removed[];
  /** What could not be removed, with why. */
  readonly failed: readonly {
    /** Both are `null` of a plugin's clean-up of its own, and of what the pool of a dead process had. */
    readonly vmId: string | null;
    readonly containerId: string | null;
    readonly error: Error;
  }[];
}

/** What each step of an operation took, in milliseconds; `queue` is the wait for its turn. */
export type StepTimes = Readonly<Record<string, number>>;

/** How a VM's network ends: with all that it was, or as a slot of the pool. */
export type Departure = 'teardown' | 'recycled';

/** One pool of a manager now. */
export interface PoolState {
  /** What its slots have. */
  readonly tapName: string;
  readonly tapOwner: TapOwner;
  readonly ready: number;
  readonly building: number;
  /** Slots of VMs that were torn down: they are not ready yet. */
  readonly resting: number;
  /** VMs that this manager set up from a slot, and has not torn down. */
  readonly inUse: number;
  /** How many should be ready: between `min` and `max`, by demand. */
  readonly target: number;
  readonly min: number;
  readonly max: number;
}

/** Durations in milliseconds, exact to one percent; all 0 while there are none. */
export interface LatencySummary {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What a manager has done since it was opened. */
export interface ManagerStats {
  readonly pools: readonly PoolState[];
  readonly latency: {
    /** Set-ups that succeeded, by the origin of what they gave. */
    readonly setup: Readonly<Record<Origin, LatencySummary>>;
    readonly teardown: LatencySummary;
    /** Those of them that left a slot for the pool. */
    readonly recycled: LatencySummary;
    /** The same, step by step; `queue` is the wait for a turn. */
    readonly steps: Readonly<Record<Origin | Departure, Readonly<Record<string, LatencySummary>>>>;
  };
  /** How often a setup or a teardown failed, by the error's code; `ABORT_ERR` for those that were aborted, and Node's own for misuse. */
  readonly errors: Readonly<Record<string, number>>;
}
