/**
 * Every declaration of the native addon. A test holds the addon's keys to this interface's.
 *
 * Every function that returns a promise runs on the addon's own threads, never on libuv's pool, and takes an optional
 * `taskId` by which {@link NativeBinding.cancel} can stop it. What it began is undone before the promise rejects.
 * Paths are absolute. Rejections are {@link NativeError}s.
 */

import type {
  AddressReservation,
  AttachmentBinding,
  FileVersion,
  GuardedPort,
  HostRoutePlan,
  ReservedAddress,
} from './attachment.ts';
import type { ExecPlan, ExecResult } from './exec.ts';
import type { ForwardChain, NamespaceHolder, ProbeResult } from './host.ts';
import type { SlotBinding } from './slots.ts';
import type { AmendPlan, NamedText, Survey, SurveyPlan } from './survey.ts';

export type { ExecPlan, ExecResult };

/** What the addon rejects with: shaped like a system error of Node's. */
export interface NativeError extends Error {
  /** The errno's name: `EEXIST`. `ECANCELED` when the task was cancelled, `ETIMEDOUT` when its deadline passed. */
  readonly code: string;
  /** Negative, as libuv has it. */
  readonly errno: number;
  /** `mount`, `RTM_NEWLINK`, `NFT_MSG_NEWRULE`, ... */
  readonly syscall: string;
  readonly path?: string;
  /** The kernel's extended acknowledgement, when it sent one. */
  readonly kernelMessage?: string;
  /** The step of an attach or a detach that failed: `lock`, `address`, `anchor`, ... */
  readonly step?: string;
  /** Why, where an errno alone can't say it. */
  readonly reason?: NativeReason;
  /** What failed while undoing; absent when the undo was complete. */
  readonly undoErrors?: readonly NativeError[];
}

export type NativeReason =
  /** A directory is a symlink, is not ours or root's, or may be written by others. */
  | 'directory-unsafe'
  /** A name is taken by something that this library did not make. */
  | 'foreign'
  /** A path is not a network namespace. */
  | 'not-a-namespace'
  /** Another process holds the lock. */
  | 'lock-held'
  /** The kernel kept interrupting a dump, or kept answering EBUSY or ENOBUFS; retries ran out. */
  | 'retries-exhausted'
  /** A link exists with this name, but of another kind. */
  | 'wrong-kind'
  /** The bridge already has another address of this family. */
  | 'address-conflict'
  /** A bridge or subnet already belongs to another network. */
  | 'network-conflict'
  /** The attachment's record, or the VM's anchor, is there already. */
  | 'attachment-exists'
  /** Every address of the ranges is taken; the message says how many there are. */
  | 'addresses-exhausted'
  /** The requested address is somebody else's. */
  | 'address-taken'
  /** The bridge has as many ports as the kernel lets it have. */
  | 'bridge-full'
  /** A slot of the pool is not as it was built. */
  | 'slot-spoilt';

export interface Task {
  readonly taskId?: number;
}

/** A held flock; released by `lockRelease` or when the process (and every child that inherited it) ends. */
export type LockHandle = number;

export interface LockPlan extends Task {
  readonly directory: string;
  readonly name: string;
  readonly mode: 'exclusive' | 'shared';
  readonly timeoutMs: number;
}

export interface AnchorPlan extends Task {
  /** `/var/run/netns`; created as iproute2 does (a shared mount) if it is not there. */
  readonly directory: string;
  readonly name: string;
  /** The vmId's lock. Its file carries the claim: device and inode of the namespace that was made under it. */
  readonly lock: LockHandle;
}

export interface AnchorState {
  /** `file`: a plain file, which may be a live namespace seen from another mount namespace. */
  readonly kind: 'absent' | 'namespace' | 'file' | 'other';
  readonly inode: number;
  readonly device: number;
  /** Whether the lock's claim names this very namespace; for anything else: whether it names one at all. */
  readonly claimed: boolean;
  /** Whose the attachment is by the lock's claim; `null`: the VM's own, or it does not say. */
  readonly container: string | null;
  /** Since the last change of its status. */
  readonly ageMs: number;
  /** Whether it is the namespace of this process. */
  readonly isHost: boolean;
}

export interface FoundFile {
  readonly path: string;
  /** Whether this process may execute it. */
  readonly executable: boolean;
}

export interface LinkInfo {
  readonly index: number;
  readonly name: string;
  /** `veth`, `bridge`, `tun`, ...; empty for a physical device. */
  readonly kind: string;
  readonly mac: string;
  readonly mtu: number;
  readonly up: boolean;
  readonly lowerUp: boolean;
  /** Index of the bridge it is a port of, or 0. */
  readonly master: number;
  /** Index of the peer (veth), or 0. */
  readonly peer: number;
  readonly alias: string;
  readonly group: number;
  /** `IFLA_BRPORT_STATE` (0 disabled, 3 forwarding), or -1 when it is no bridge port. */
  readonly portState: number;
  /** Of a bridge port; `false` for what is none. */
  readonly hairpin: boolean;
  readonly isolated: boolean;
  /** Owner of a TAP device, or -1. */
  readonly tapUid: number;
  readonly tapGid: number;
}

export interface AddressInfo {
  readonly link: number;
  readonly family: 4 | 6;
  readonly ip: string;
  readonly prefixLength: number;
  readonly scope: number;
}

export interface RouteInfo {
  readonly family: 4 | 6;
  /** CIDR; `0.0.0.0/0` for a default route. */
  readonly destination: string;
  readonly gateway: string | null;
  readonly link: number;
  readonly table: number;
  readonly protocol: number;
}

export interface QdiscInfo {
  readonly link: number;
  readonly kind: string;
  readonly handle: number;
  readonly parent: number;
}

export interface FilterInfo {
  readonly link: number;
  readonly kind: string;
  readonly parent: number;
  readonly priority: number;
  readonly protocol: number;
  /** Index of the link that mirred sends to, or 0 when the filter has no such action. */
  readonly redirectTo: number;
}

export interface DumpPlan extends Task {
  /** Absent: the namespace of this process. */
  readonly netns?: string;
  /** `filters` reads those of every link that has an ingress qdisc. */
  readonly kinds: readonly ('links' | 'addresses' | 'routes' | 'qdiscs' | 'filters')[];
}

/** Kinds that were not asked for are empty. */
export interface Dump {
  readonly links: readonly LinkInfo[];
  readonly addresses: readonly AddressInfo[];
  readonly routes: readonly RouteInfo[];
  readonly qdiscs: readonly QdiscInfo[];
  readonly filters: readonly FilterInfo[];
}

/** What to change about a link; absent fields stay as they are. */
export interface LinkPlan extends Task {
  readonly netns?: string;
  readonly name: string;
  readonly up?: boolean;
  readonly alias?: string;
  readonly group?: number;
  readonly mtu?: number;
  /** Name of the bridge to become a port of. */
  readonly master?: string;
  /** `IFLA_BRPORT_STATE`: 0 cuts a bridge port off. */
  readonly portState?: number;
  /** Of a bridge port, both together: one of them alone sets the other to false. */
  readonly hairpin?: boolean;
  readonly isolated?: boolean;
}

export interface BridgePlan extends Task {
  readonly name: string;
  readonly mac: string;
  /** 0: the kernel's default. */
  readonly mtu: number;
  /** CIDR addresses of the gateway: `10.168.0.1/24`. */
  readonly addresses: readonly string[];
  /** Whether the bridge may have IPv6 at all (its own link-local included). */
  readonly ipv6: boolean;
  /** Whether it takes frames that are for none of its addresses. Never taken back. Default: as it is. */
  readonly promiscuous?: boolean;
  /** Whether the host answers for guests of other bridges, at once. Never taken back. Default: as it is. */
  readonly proxyArp?: boolean;
}

export interface BridgeState {
  readonly created: boolean;
  readonly mac: string;
  readonly mtu: number;
}

export interface FirewallNetwork {
  /** Owner of what is added: the network's name. */
  readonly network: string;
  /** Link names through which guests come: the network's bridges. */
  readonly bridges: readonly string[];
  /** The group of its links that are no bridge's ports. */
  readonly group?: number;
  /** CIDR, either family. */
  readonly subnets: readonly string[];
  /** Gateway addresses that answer pings, either family. */
  readonly gateways: readonly string[];
  readonly masquerade: boolean;
  readonly allowLinkLocal: boolean;
  /** Whether guests may speak IPv6. */
  readonly ipv6: boolean;
  readonly hostAccess: 'all' | readonly { readonly protocol: number; readonly port: number }[];
}

export interface NativeBinding extends AttachmentBinding, SlotBinding {
  /** Stops the task if it is still running; its promise then rejects with ECANCELED. Unknown ids are ignored. */
  cancel(taskId: number): void;

  // sys: locks. A lock file that was removed while waiting is noticed, and the wait starts again on the new one.
  lockAcquire(plan: LockPlan): Promise<LockHandle>;
  /** `remove` unlinks the file, still under the lock; `keep` leaves one that claims nothing, which else goes, too. */
  lockRelease(plan: {
    readonly lock: LockHandle;
    readonly remove?: boolean;
    readonly keep?: boolean;
  }): Promise<void>;

  // sys: anchors
  /** New namespace, claim, O_EXCL name, bind mount; rejects with EEXIST and reason `foreign` when the name is taken. */
  anchorCreate(plan: AnchorPlan & { readonly container?: string }): Promise<AnchorState>;
  /** `lock` absent: `claimed` is false. */
  anchorState(plan: Omit<AnchorPlan, 'lock'> & { readonly lock?: LockHandle }): Promise<AnchorState>;
  /** Unmounts (lazily) and unlinks. Absent is fine. Refuses what is neither a namespace nor an empty plain file. */
  anchorRemove(plan: AnchorPlan): Promise<void>;
  /** Writes the lock's claim again for the namespace that has the name; the caller knows that it is the VM's. */
  anchorClaim(plan: AnchorPlan & { readonly container?: string }): Promise<void>;
  /** Names the namespace of the lock's claim again; false when nobody holds it any more. */
  anchorRestore(plan: AnchorPlan): Promise<boolean>;
  /** Names in the directory that begin with `prefix`, sorted. */
  anchorList(plan: Task & { readonly directory: string; readonly prefix: string }): Promise<string[]>;
  /** Whether the path, symbolic links followed, leads to the namespace of this process. */
  isHostNamespace(plan: Task & { readonly path: string }): Promise<boolean>;
  /** Inodes of the network namespaces that threads run in. */
  inhabitedNamespaces(plan: Task): Promise<number[]>;
  /** Who keeps a namespace alive. */
  namespaceHolders(
    plan: Task & { readonly inode: number; readonly device: number },
  ): Promise<NamespaceHolder[]>;
  /** Whether this process's mount namespace is pid 1's, and whether `directory` is a shared mount. */
  mountState(
    plan: Task & { readonly directory: string },
  ): Promise<{ readonly hostMountNamespace: boolean; readonly shared: boolean }>;

  // sys: files, relative to a checked directory, O_NOFOLLOW | O_CLOEXEC. With `follow`, for configuration that an
  // administrator wrote, the directory is not checked and symbolic links are followed.
  directoryEnsure(
    plan: Task & { readonly path: string; readonly mode: number },
  ): Promise<{ readonly created: boolean }>;
  /** `null`: no such file. Larger than `limit`: EFBIG. */
  fileRead(
    plan: Task & {
      readonly directory: string;
      readonly name: string;
      readonly limit: number;
      readonly follow?: boolean;
    },
  ): Promise<string | null>;
  /** `null`: no such file. */
  fileVersion(
    plan: Task & { readonly directory: string; readonly name: string },
  ): Promise<FileVersion | null>;
  /** Readers see the old content or the new, never a part; nothing is left when it fails. */
  fileWrite(
    plan: Task & {
      readonly directory: string;
      readonly name: string;
      readonly data: string;
      readonly mode: number;
    },
  ): Promise<void>;
  /** Whether there was one. */
  fileRemove(plan: Task & { readonly directory: string; readonly name: string }): Promise<boolean>;
  /** Names of regular files, sorted by byte; empty when the directory is missing. */
  fileList(plan: Task & { readonly directory: string; readonly follow?: boolean }): Promise<string[]>;
  /** All files of `fileList` with what they hold, in one reading. */
  fileReadAll(plan: Task & { readonly directory: string; readonly limit: number }): Promise<NamedText[]>;
  /** The first of the directories that has `name` as a regular file, symbolic links followed; `null`: none has it. */
  fileFind(
    plan: Task & { readonly directories: readonly string[]; readonly name: string },
  ): Promise<FoundFile | null>;

  // sys: the rest
  exec(plan: ExecPlan): Promise<ExecResult>;
  /** `net/ipv4/ip_forward`; `null` when there is no such key. */
  sysctlRead(plan: Task & { readonly key: string }): Promise<string | null>;
  /** Written only when it differs; says whether it did. */
  sysctlWrite(plan: Task & { readonly key: string; readonly value: string }): Promise<boolean>;
  /** Effective capabilities as a bit mask in hexadecimal, as `/proc/self/status` has it. */
  capabilities(): Promise<string>;

  // netlink
  dump(plan: DumpPlan): Promise<Dump>;
  /** Whether there was such a link. */
  linkSet(plan: LinkPlan): Promise<boolean>;
  /** With `alias`, a link of another alias is left alone. */
  linkDelete(plan: Pick<LinkPlan, 'taskId' | 'netns' | 'name' | 'alias'>): Promise<boolean>;
  /** Whether it was not there already; one by a link takes the other's place. */
  hostRouteAdd(plan: HostRoutePlan): Promise<boolean>;
  /** One of ours, by whichever link; whether there was one. */
  hostRouteRemove(plan: Pick<HostRoutePlan, 'taskId' | 'destination'>): Promise<boolean>;

  // engine
  /** Creates the bridge or makes an existing one fit; idempotent. */
  bridgeEnsure(plan: BridgePlan): Promise<BridgeState>;
  /** The table, its constant rules, and this network's elements; one transaction, idempotent. */
  firewallEnsure(plan: Task & FirewallNetwork): Promise<void>;
  /** What is not as `firewallEnsure` leaves it: `table`, `rules`, `elements`. */
  firewallCheck(plan: Task & FirewallNetwork): Promise<string[]>;
  /** This network's elements; the table too when no network is left in it. Absent is fine. */
  firewallRemove(plan: Task & { readonly network: string }): Promise<void>;
  /** Names of the networks that have elements in the table. */
  firewallList(plan: Task): Promise<string[]>;
  /** The guards' tables for ports or for routed links, and their constant rules; idempotent. Whether one was missing. */
  guardEnsure(plan: Task & { readonly routed?: boolean }): Promise<boolean>;
  /** In one transaction; makes the table when somebody has removed it. */
  guardAdd(plan: Task & GuardedPort): Promise<void>;
  /** Absent is fine. */
  guardRemove(plan: Task & GuardedPort): Promise<void>;
  /** What is guarded, sorted by link. */
  guardList(plan: Task): Promise<GuardedPort[]>;
  /** The table, unless a link is guarded; whether it is gone. */
  guardRemoveUnused(plan: Task): Promise<boolean>;
  survey(plan: SurveyPlan): Promise<Survey>;
  /** In order, past what fails: what came of each. */
  amend(plan: AmendPlan): Promise<(NativeError | null)[]>;
  /** What `attach` does to the store, for itself. */
  addressReserve(
    plan: Task & AddressReservation & { readonly timeoutMs: number },
  ): Promise<ReservedAddress[]>;
  /** `ips: null`: all that the owner has. What was released; what is somebody else's stays. */
  addressRelease(
    plan: Task & {
      readonly directory: string;
      readonly owner: string;
      readonly ips: readonly string[] | null;
      readonly timeoutMs: number;
    },
  ): Promise<string[]>;
  /** Chains of others on the forward hook. */
  forwardChains(plan: Task): Promise<ForwardChain[]>;
  /** Each kernel feature, used in a throwaway namespace. */
  probe(plan: Task): Promise<ProbeResult[]>;
}
