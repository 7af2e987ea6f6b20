/** The plans of `attach` and `detach`: what native code executes, every name chosen by TypeScript. */
import type { StepTimes } from '../types.ts';
import type { NativeError } from './error.ts';
import type { NamespaceId } from './sys.ts';
import type { Task } from './task.ts';

export interface AttachmentLocks {
  readonly directory: string;
  /** Name of the VM's lock file, held exclusively. */
  readonly vm: string;
  /** Whose the attachment is that is made, where it is not of the VM's own id: goes into the claim of the VM's lock. */
  readonly container?: string;
  /** Name of the network's lock file, shared; absent: the caller holds it. */
  readonly network?: string;
  readonly timeoutMs: number;
}

export interface FileName {
  readonly directory: string;
  readonly name: string;
}

/** What a file was when it was written: one that is put in its place differs. */
export interface FileVersion {
  readonly inode: number;
  readonly modifiedMs: number;
}

/** host-local's word: a part of a subnet, without its network and broadcast addresses. */
export interface AddressRange {
  readonly start: string;
  readonly end: string;
  /** Never given to a guest. */
  readonly gateway: string | null;
  readonly prefixLength: number;
}

/** One address, out of one range set. */
export interface AddressRequest {
  /** The set's place in the configuration: `last_reserved_ip.<set>`. */
  readonly set: number;
  readonly ranges: readonly AddressRange[];
  /** Besides the gateways. */
  readonly excluded: readonly string[];
  /** This one; absent: the next free one. */
  readonly address?: string;
}

export interface AddressReservation {
  /** host-local's directory of the network. */
  readonly directory: string;
  /** `<containerId>\r\n<ifName>` */
  readonly owner: string;
  /** At least one. */
  readonly requests: readonly AddressRequest[];
}

export interface ReservedAddress {
  readonly ip: string;
  readonly prefixLength: number;
  readonly gateway: string | null;
}

/** Stands for the gateway of the range that the address of this request comes from; its ranges have one each. */
export interface GatewayOf {
  readonly gatewayOf: number;
}

/** A port of a bridge, with the bridge plugin's options. */
export interface BridgePort {
  readonly hairpin: boolean;
  readonly isolated: boolean;
  /** Whether the host gets a route to each address of the guest. Default false. */
  readonly hostRoutes?: boolean;
}

/** A link that is no bridge's port: the host routes to each address of the guest. */
export interface RoutedPort {
  readonly routed: true;
  /** By which the firewall knows the network's links. */
  readonly group: number;
  /** Whether the host answers for other guests. */
  readonly proxyArp: boolean;
}

/** Stands for the id of a VM, or of its attachment. */
export interface NameOfVm {
  readonly nameOf: 'vmId' | 'containerId';
}

export interface AttachInterface {
  /** Has the gateway's address, and is what a {@link BridgePort} is a port of. */
  readonly bridge: string;
  /** Whether it has to be up (ENETDOWN). Default false. */
  readonly bridgeUp?: boolean;
  readonly port: BridgePort | RoutedPort;
  /** The host's end of the pair, and its alias. */
  readonly hostLink: string;
  readonly alias: string;
  readonly hostMac: string;
  /** The end in the namespace: `eth0`. Its MAC is the guest's. */
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly tap: { readonly name: string; readonly uid: number; readonly gid: number };
  readonly routes: readonly { readonly destination: string; readonly gateway: string | GatewayOf | null }[];
  /** `null`: nobody looks at what the guest says it is. `addresses`: what it may say besides those that it gets. */
  readonly guard: { readonly addresses: readonly string[] } | null;
  readonly addresses: AddressReservation;
  /** Text in pieces; a number stands for the address of that request, as `10.168.0.2/24`. */
  readonly record: FileName & { readonly text: readonly (string | number | GatewayOf)[] };
}

/**
 * What guests come through, which is their bridge, or the group of links that are routed to, has to be in the firewall as this
 * network's. Where it is not, the reason is `firewall-gone`, or, while the table is the one of that handle, `firewall-bare`.
 */
export interface FirewallNeed {
  readonly table: number;
  readonly network: string;
}

export interface AttachPlan extends Task {
  readonly locks: AttachmentLocks;
  /** Without it nothing is made. Absent: nobody looks. */
  readonly firewall?: FirewallNeed;
  readonly anchor: FileName;
  readonly interfaces: readonly [AttachInterface];
}

export interface AttachedInterface {
  /** In the order of the requests. */
  readonly addresses: readonly ReservedAddress[];
  readonly record: FileVersion;
}

export interface AttachResult {
  readonly netns: { readonly inode: number; readonly device: number };
  readonly interfaces: readonly [AttachedInterface];
  readonly steps: StepTimes;
}

/** An attachment without a name, for a VM that is yet to come: everything but anchor, record and alias. */
export interface SlotPlan extends Task {
  /** `vm` is not looked at; directory and network are those of its namings and returns, too. */
  readonly locks: AttachmentLocks;
  /** As in an {@link AttachPlan}. */
  readonly firewall?: FirewallNeed;
  /** Its alias is empty; the owner of its addresses is whoever keeps the slot. */
  readonly interface: Omit<AttachInterface, 'record'>;
  /** The directory in which the namespace gets its name. */
  readonly anchors: string;
  /** Of the VM that it becomes. */
  readonly record: {
    readonly directory: string;
    /** As in an {@link AttachInterface}; what is the VM's is a {@link NameOfVm}. */
    readonly text: readonly (string | number | GatewayOf | NameOfVm)[];
  };
  /** Whether it may be proven and reset one day: what it looks like now is then to be known. */
  readonly recycled: boolean;
}

export interface FilledSlot {
  /** Until it is forgotten or destroyed; the slot ends with the environment at the latest. */
  readonly slot: number;
  /** In the order of the requests. */
  readonly addresses: readonly ReservedAddress[];
}

/** What makes a slot the attachment of a VM. No request of it needs RTNL, unless a route of it has gone. */
export interface SlotNamingPlan extends Task {
  readonly slot: number;
  /** As in {@link AttachmentLocks}. */
  readonly vm: string;
  readonly container?: string | undefined;
  readonly timeoutMs: number;
  /** As in a {@link FirewallNeed}, of the network that it was filled for; not looked at where it was filled without. */
  readonly table: number;
  /** Names, in the slot's directories. */
  readonly anchor: string;
  readonly record: string;
  /** Of the slot's addresses from then on. */
  readonly owner: string;
}

export interface NamedSlot {
  readonly record: FileVersion;
  readonly steps: StepTimes;
}

/** Takes the VM away that a slot became, and leaves the slot. */
export interface SlotReturnPlan extends Task {
  readonly slot: number;
  readonly timeoutMs: number;
  /** Whether its link may say whose it is. */
  readonly labelled: boolean;
}

export interface ReturnedSlot {
  /** The record was not the one that was written when it got its VM: nothing was done. */
  readonly stale: boolean;
  readonly steps: StepTimes;
}

/** A link of the host, and what the guest behind it may say it is. */
export interface GuardedPort {
  readonly link: string;
  /** Whether it is no bridge's port. Default false. */
  readonly routed?: boolean;
  readonly bindings: readonly { readonly mac: string; readonly ip: string }[];
}

/** A route of the host's own, in its main table, that protocol 118 tells from others'. */
export interface HostRoutePlan extends Task {
  /** CIDR: one address, or with no `link` a subnet. */
  readonly destination: string;
  /** Absent: whatever in it is nobody's can't be reached. */
  readonly link?: string;
  /** What the host speaks to it as. */
  readonly source?: string;
}

export interface DetachInterface {
  /** With `alias`, a link of another alias is left alone. `routed`: it is no bridge's port; default false. */
  readonly hostLink: { readonly name: string; readonly alias?: string; readonly routed?: boolean } | null;
  readonly guard: GuardedPort | null;
  /** `ips: null`: all that the owner has, which reads the whole store. */
  readonly addresses: {
    readonly directory: string;
    readonly owner: string;
    readonly ips: readonly string[] | null;
  } | null;
  /** The guest's addresses that the host has routes of its own to. Default: none. */
  readonly hostRoutes?: readonly string[];
  /** With `version`, nothing at all is done once another file has the record's name, or none. */
  readonly record: (FileName & { readonly version?: FileVersion }) | null;
}

export interface DetachPlan extends Task {
  readonly locks: AttachmentLocks;
  /** `null`: the namespace stays, because it has other attachments or is somebody else's. */
  readonly anchor: FileName | null;
  /** Whether the namespace, which loses its name, is held until `namespacesPart`. Default false. */
  readonly together?: boolean;
  readonly interfaces: readonly [DetachInterface];
}

export interface DetachResult {
  /** The record was not of the version that was named. */
  readonly stale: boolean;
  /** Whether the VM is off the network. When not, nothing after the cut was done. */
  readonly cut: boolean;
  /** The namespace that was made under the VM's lock. */
  readonly netns: NamespaceId | null;
  /** What failed, each with its `step`; the record stays unless all that did is of reason `foreign`. */
  readonly errors: readonly NativeError[];
  readonly steps: StepTimes;
}

export interface AttachmentBinding {
  /** One VM from nothing to its record, or nothing at all. */
  attach(plan: AttachPlan): Promise<AttachResult>;
  /** Cuts the link first, then removes all that has the VM's name, past failing steps. Absent is fine. */
  detach(plan: DetachPlan): Promise<DetachResult>;
  /** Lets go of all namespaces that were told to go together. */
  namespacesPart(plan: Task): Promise<void>;
}
