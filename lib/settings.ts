/** Options that were checked, with every default in its place. Plain data; nothing here does anything. */
import type { CloseSignal, VerbOptions } from './options.ts';
import type {
  BackendName,
  HostAccessRule,
  Logger,
  NetworkDns,
  NetworkLayout,
  NetworkRoute,
  TapOwner,
} from './types.ts';

/** What the conflist is made of that this library writes. */
export interface GeneratedNetwork {
  readonly kind: 'generated';
  readonly network: string;
  readonly layout: NetworkLayout;
  /** The first of them. */
  readonly bridge: string;
  /** How many there may be. */
  readonly bridgeCount: number;
  readonly portsPerBridge: number;
  /** CIDR without host bits. */
  readonly subnet: string;
  readonly gateway: string;
  /** Empty: all host addresses. */
  readonly ranges: readonly { readonly start: string; readonly end: string }[];
  readonly hairpin: boolean;
  readonly isolated: boolean;
  readonly promiscuous: boolean;
  /** `null`: the uplink's. */
  readonly mtu: number | null;
  readonly dns: NetworkDns;
  readonly routes: readonly NetworkRoute[];
  readonly confDir: string;
  readonly addressDir: string;
}

/** A conflist of the user's own. */
export interface OwnConflist {
  readonly kind: 'own';
  readonly path: string;
  /** What the name in the file must be; `null`: whatever it is. */
  readonly network: string | null;
}

/** {@link PoolOptions}, checked, with every default in its place. */
export interface PoolConfig {
  readonly min: number;
  readonly max: number;
  readonly tapName: string;
  readonly tapOwner: TapOwner;
  readonly recycle: boolean;
  /** `null`: as the network's ports are isolated or not. */
  readonly restMs: number | null;
}

/** A reboot takes what is in the first with the kernel's state; the second is libcni's own. */
export const defaultStateDirs = { native: '/run/cni', cni: '/var/lib/cni' } as const;

/** {@link NetworkManagerOptions}, checked, with every default in its place. */
export interface Config {
  readonly backend: BackendName;
  readonly source: GeneratedNetwork | OwnConflist;
  readonly pluginDirs: readonly string[];
  readonly stateDir: string;
  readonly netnsDir: string;
  readonly ifName: string;
  readonly hostAccess: 'all' | readonly HostAccessRule[];
  readonly allowLinkLocal: boolean;
  readonly masquerade: boolean;
  readonly antiSpoofing: boolean;
  readonly pools: readonly PoolConfig[];
  readonly verify: 'warn' | 'throw' | 'off';
  readonly shutdown: 'teardown' | 'leave';
  readonly signals: readonly CloseSignal[];
  readonly logger: Logger | null;
  readonly timeoutMs: number;
  readonly pluginTimeoutMs: number;
}

/** {@link SetupOptions}, checked; `null` where the default is not ours to choose. */
export interface SetupConfig extends VerbOptions {
  readonly mac: string | null;
  readonly address: string | null;
  readonly tapOwner: TapOwner | null;
  readonly tapName: string;
  readonly containerId: string;
}

/** {@link TeardownOptions}, checked. */
export interface TeardownConfig extends Pick<VerbOptions, 'timeoutMs'> {
  readonly wait: boolean;
}
