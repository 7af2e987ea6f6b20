import type { AddressReservation, FirewallNeed, GuardedPort, ReservedAddress } from './attachment.ts';
import type { NativeError } from './error.ts';
import type { ForeignChain, ProbeResult } from './host.ts';
import type { AmendPlan, Survey, SurveyPlan } from './survey.ts';
import type { Task } from './task.ts';

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
  /** Whether it is for others to set up: made as the kernel makes it, and left its IPv6. Default false. */
  readonly bare?: boolean;
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
  /** Whether guests are kept from those of isolated networks, its own included. */
  readonly isolated: boolean;
  readonly hostAccess: 'all' | readonly { readonly protocol: number; readonly port: number }[];
}

/** What a network has, and what there is of its attachments. */
export interface EngineBinding {
  /** Creates the bridge or makes an existing one fit; idempotent. */
  bridgeEnsure(plan: BridgePlan): Promise<BridgeState>;
  /**
   * The table, its constant rules, and this network's elements; one transaction, idempotent. The table's handle: one that is made
   * in its place has another.
   */
  firewallEnsure(plan: Task & FirewallNetwork): Promise<number>;
  /** Rejects where that, of these bridges and of the group, is not there. */
  firewallRequire(plan: Task & FirewallNeed & Pick<FirewallNetwork, 'bridges' | 'group'>): Promise<void>;
  /** What is not as `firewallEnsure` leaves it: `table`, `rules`, `elements`. */
  firewallCheck(plan: Task & FirewallNetwork): Promise<string[]>;
  /** This network's elements; the table too when no network is left in it. Absent is fine. */
  firewallRemove(plan: Task & { readonly network: string }): Promise<void>;
  /** Names of the networks that have elements in the table. */
  firewallList(plan: Task): Promise<string[]>;
  /** The guards' tables for ports or for routed links, and their constant rules; idempotent. Whether one was missing. */
  guardEnsure(plan: Task & { readonly routed?: boolean }): Promise<boolean>;
  /** What is not as `guardEnsure` leaves it: `table`, `rules`. */
  guardCheck(plan: Task & { readonly routed?: boolean }): Promise<string[]>;
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
  /**
   * What `attach` does to the store, for itself. Makes its directory, and may change a store that is not ready, which makes it no
   * more so, and is under no lock.
   */
  addressReserve(
    plan: Task & AddressReservation & { readonly timeoutMs: number },
  ): Promise<ReservedAddress[]>;
  /** Makes the store, or has one be ready that has all that it is to have. */
  addressStoreMake(plan: Task & { readonly directory: string }): Promise<void>;
  /** `ips: null`: all that the owner has. What was released; what is somebody else's stays. */
  addressRelease(
    plan: Task & {
      readonly directory: string;
      readonly owner: string;
      readonly ips: readonly string[] | null;
      readonly timeoutMs: number;
    },
  ): Promise<string[]>;
  /**
   * Forgets what the host tracks of the addresses' connections, but of those that have a file in host-local's `directory`, which
   * are somebody's again: returns them. `directory: null`: of all.
   */
  connectionsForget(
    plan: Task & { readonly ips: readonly string[]; readonly directory: string | null },
  ): Promise<string[]>;
  /** nftables' chains of others on the hooks that guests' packets meet. */
  foreignChains(plan: Task): Promise<ForeignChain[]>;
  /** The old iptables' chains there, where it is in use; only root may look, or who may read what root may. */
  legacyForeignChains(plan: Task): Promise<ForeignChain[]>;
  /** Each kernel feature, used in a throwaway namespace. */
  probe(plan: Task): Promise<ProbeResult[]>;
}
