import type { HostRoutePlan } from './attachment.ts';
import type { Task } from './task.ts';

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
  /** Whether it stays without operation whatever its carrier, as a port that was cut does (`IFLA_LINKMODE`). */
  readonly dormant: boolean;
  /** Whether it has its carrier, and the kernel is about to say so: until then its port is disabled. */
  readonly rising: boolean;
  /** Of a bridge port; `false` for what is none. */
  readonly hairpin: boolean;
  readonly isolated: boolean;
  /** Whether all that it brings is looked at: frames to 01:80:c2:00:00:0X, too, and others once its bridge is gone. */
  readonly guestPort: boolean;
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
  /** As `rtnetlink.h` numbers them: 1 for one that leads somewhere. */
  readonly type: number;
  /** Of routes to one destination the lowest wins. */
  readonly metric: number;
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
  /** The name that it gets, before anything else; by a kernel before 6.2 it is down for a moment. */
  readonly newName?: string;
  readonly up?: boolean;
  readonly alias?: string;
  readonly group?: number;
  readonly mtu?: number;
  /** Name of the bridge to become a port of. */
  readonly master?: string;
  /** Cuts a bridge port off, whatever its carrier does from then on, or lets it in again. */
  readonly cut?: boolean;
  /** Of a bridge port, both together: one of them alone sets the other to false. */
  readonly hairpin?: boolean;
  readonly isolated?: boolean;
  /** Comes with those two; by itself, a link that is no port stays as it is. */
  readonly guestPort?: true;
}

/** Links and routes. */
export interface NetlinkBinding {
  dump(plan: DumpPlan): Promise<Dump>;
  /** Whether there was such a link. */
  linkSet(plan: LinkPlan): Promise<boolean>;
  /** With `alias`, a link of another alias is left alone. */
  linkDelete(plan: Pick<LinkPlan, 'taskId' | 'netns' | 'name' | 'alias'>): Promise<boolean>;
  /** Whether it was not there already; one by a link takes the other's place. */
  hostRouteAdd(plan: HostRoutePlan): Promise<boolean>;
  /** One of ours, by whichever link; whether there was one. */
  hostRouteRemove(plan: Pick<HostRoutePlan, 'taskId' | 'destination'>): Promise<boolean>;
}
