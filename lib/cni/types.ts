/** What CNI's words stand for, as plain data. Nothing here imports anything. */

export type Command = 'ADD' | 'DEL' | 'CHECK' | 'GC' | 'STATUS' | 'VERSION';

export type JsonObject = Readonly<Record<string, unknown>>;

/** One pair of `CNI_ARGS`. */
export type CniArg = readonly [key: string, value: string];

/** One interface of one VM on one network. */
export interface AttachmentKey {
  readonly network: string;
  readonly containerId: string;
  readonly ifName: string;
}

/** What the runtime tells each plugin about an attachment, beside the configuration: libcni's word. */
export interface RuntimeConf {
  readonly containerId: string;
  /** Path of the namespace; empty for a DEL after it has gone. */
  readonly netns: string;
  readonly ifName: string;
  readonly args: readonly CniArg[];
  /** By capability; a plugin gets those that its `capabilities` ask for, as `runtimeConfig`. */
  readonly capabilityArgs: JsonObject;
}

/** One entry of a conflist's `plugins`. */
export interface PluginConf {
  readonly type: string;
  /** The plugin object's own `name`; empty when it has none. */
  readonly name: string;
  /** Capabilities that it declares with `true`. */
  readonly capabilities: readonly string[];
  /** `ipam.type`; empty when it has none. */
  readonly ipamType: string;
  /** The whole object as it stands in the conflist. */
  readonly raw: JsonObject;
}

/** A network's configuration: a conflist that was read and found valid. */
export interface ConfList {
  readonly name: string;
  /** The version that was negotiated; empty when the conflist names none, which means 0.1.0. */
  readonly cniVersion: string;
  readonly disableCheck: boolean;
  readonly disableGc: boolean;
  readonly loadOnlyInlinedPlugins: boolean;
  readonly plugins: readonly PluginConf[];
  /** The conflist as it was read, to the byte: what a record keeps. */
  readonly text: string;
}

// Results. As in libcni's structs a field that a plugin left out has its zero: '' or 0 or an empty list, and null where
// zero means something.

export interface Interface {
  readonly name: string;
  readonly mac: string;
  readonly mtu: number;
  readonly sandbox: string;
  readonly socketPath: string;
  readonly pciId: string;
}

export interface IpConfig {
  /** `4` or `6` up to 0.4.0; empty from 1.0.0 on. */
  readonly version: string;
  /** Index into the result's interfaces. */
  readonly interface: number | null;
  /** CIDR with host bits: `10.168.0.2/24`. */
  readonly address: string;
  readonly gateway: string | null;
}

export interface Route {
  readonly dst: string;
  readonly gw: string | null;
  readonly mtu: number;
  readonly advmss: number;
  readonly priority: number;
  readonly table: number | null;
  readonly scope: number | null;
}

export interface Dns {
  readonly nameservers: readonly string[];
  readonly domain: string;
  readonly search: readonly string[];
  readonly options: readonly string[];
}

/** A result from 0.3.0 on. */
export interface Result {
  readonly cniVersion: string;
  readonly interfaces: readonly Interface[];
  readonly ips: readonly IpConfig[];
  readonly routes: readonly Route[];
  readonly dns: Dns;
}

export interface LegacyIpConfig {
  readonly ip: string;
  readonly gateway: string | null;
  readonly routes: readonly Route[];
}

/** A result of 0.1.0 or 0.2.0: at most one address of each family, and no interfaces. */
export interface LegacyResult {
  readonly cniVersion: string;
  readonly ip4: LegacyIpConfig | null;
  readonly ip6: LegacyIpConfig | null;
  readonly dns: Dns;
}

export type AnyResult = Result | LegacyResult;

/** libcni's record of an attachment: `cniCacheV1`. */
export interface CacheRecord extends AttachmentKey {
  /** The conflist as it was when the attachment was made; empty in a record older than `cniCacheV1`. */
  readonly config: string;
  /** Empty when the record names none. */
  readonly netns: string;
  readonly args: readonly CniArg[];
  readonly capabilityArgs: JsonObject;
  readonly result: AnyResult | null;
}
