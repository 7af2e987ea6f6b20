import { hash } from 'node:crypto';
import { bridgeNames } from '../../bridges.ts';
import { isIpv6Text } from '../../cni/ip-text.ts';
import { isJsonObject } from '../../cni/json.ts';
import type { ConfList, JsonObject } from '../../cni/types.ts';
import { isNetworkError, NetworkError } from '../../errors.ts';
import { type RangeDescription, type RangeSet, rangeSets } from '../../ipam.ts';
import type { NetworkDns, NetworkRoute } from '../../types.ts';
import { addressDirOf, bridgeNameOf, objects, text, texts } from './plugin-conf.ts';

/** What a chain of bridge, host-local and tc-redirect-tap would build: what the native backend builds without it. */
export interface NativeLayout {
  /** The first of them. */
  readonly bridge: string;
  /** All that there may be. */
  readonly bridges: readonly string[];
  /** Whether the host has a route to each VM, and is a stranger to the rest of the subnet. */
  readonly hostRoutes: boolean;
  /** The group of links that are no bridge's ports, by which the firewall knows them; `null`: they are ports. */
  readonly linkGroup: number | null;
  /** 0: the conflist leaves it open. */
  readonly mtu: number;
  readonly hairpin: boolean;
  readonly isolated: boolean;
  readonly promiscuous: boolean;
  /** Whether the host has the gateways' addresses. */
  readonly isGateway: boolean;
  readonly sets: readonly RangeSet[];
  /** host-local's directory of the network. */
  readonly addressDir: string;
  readonly routes: readonly NetworkRoute[];
  readonly dns: NetworkDns;
}

/** How many bridges there may be, in the conflist that this library writes. */
export const bridgeCountKey = 'bridgeCount';

/** Whether the host routes to each VM, in the conflist that this library writes. */
export const routedKey = 'routed';

/** All that there may be. */
export function bridgesOf(bridge: JsonObject): readonly string[] {
  const count = bridge[bridgeCountKey];
  return bridgeNames(bridgeNameOf(bridge), typeof count === 'number' ? count : 1);
}

/** One of its own for each network: nobody else counts on groups as high. */
export function linkGroupOf(network: string): number {
  return 0x7600_0000 + Number.parseInt(hash('sha256', network).slice(0, 6), 16);
}

/** Keys of the bridge plugin that this library does what they ask for, or that change nothing for a VM. */
const bridgeKeys = new Set([
  ...[
    'type',
    'name',
    'cniVersion',
    'bridge',
    'isGateway',
    'mtu',
    'hairpinMode',
    'portIsolation',
    'promiscMode',
    bridgeCountKey,
    routedKey,
  ],
  ...['capabilities', 'dns', 'ipam', 'forceAddress', 'enabledad'],
]);
const ipamKeys = new Set([
  ...['type', 'name', 'subnet', 'rangeStart', 'rangeEnd', 'gateway', 'ranges', 'routes', 'dataDir'],
]);

const routeKeys = new Set(['dst', 'gw']);

/** Go's zero values: a plugin can't tell them from a key that is not there. */
const zeroes = new Set<unknown>([false, null, 0, '']);

function isZero(value: unknown): boolean {
  return zeroes.has(value) || (Array.isArray(value) && value.length === 0);
}

function extraKey(raw: JsonObject, known: ReadonlySet<string>): string | undefined {
  return Object.keys(raw).find((key) => !known.has(key) && !isZero(raw[key]));
}

/** Why only plugins can build what the conflist describes; `null`: nothing stands in the way. */
export function nativeProblem({ plugins }: ConfList): string | null {
  const types = plugins.map(({ type }) => type);
  if (types.join() !== 'bridge,tc-redirect-tap') return `its plugins are ${types.join(', ')}`;
  const [bridge] = plugins;
  if (bridge === undefined || bridge.ipamType !== 'host-local') return 'its address plugin is not host-local';
  const key = extraKey(bridge.raw, bridgeKeys);
  if (key !== undefined) return `its bridge plugin has "${key}"`;
  const { ipam } = bridge.raw;
  const ipamKey = isJsonObject(ipam) ? extraKey(ipam, ipamKeys) : undefined;
  return ipamKey === undefined ? null : `its address plugin has "${ipamKey}"`;
}

/**
 * What the bridge plugin's generations do not agree on, or do not do: the native backend builds a route's destination and gateway.
 * Nothing of it matters to who undoes what was built.
 */
function routeProblem(ipam: JsonObject): string | null {
  for (const route of objects(ipam['routes'])) {
    const key = extraKey(route, routeKeys);
    if (key !== undefined) return `its route to ${text(route['dst']) ?? 'nowhere'} has "${key}"`;
  }
  return null;
}

function describe(range: JsonObject): RangeDescription {
  return {
    subnet: text(range['subnet']) ?? '',
    ...{ rangeStart: text(range['rangeStart']), rangeEnd: text(range['rangeEnd']) },
    gateway: text(range['gateway']),
  };
}

/** A range of host-local's own stands before the sets. */
function descriptionsOf(ipam: JsonObject): readonly (readonly RangeDescription[])[] {
  const sets = Array.isArray(ipam['ranges']) ? ipam['ranges'] : [];
  return [
    ...(text(ipam['subnet']) === undefined ? [] : [[describe(ipam)]]),
    ...sets.map((set) => objects(set).map(describe)),
  ];
}

function dnsOf(dns: JsonObject): NetworkDns {
  return {
    ...{ nameservers: texts(dns['nameservers']), domain: text(dns['domain']) ?? null },
    ...{ search: texts(dns['search']), options: texts(dns['options']) },
  };
}

function refuse(problem: string | null, source: string): void {
  if (problem === null) return;
  const message = `${source}: the native backend cannot build it: ${problem}; use backend: 'cni'`;
  throw new NetworkError('ERR_CONFLIST_INVALID', message, { path: source });
}

const firstOf = ({ plugins }: ConfList): JsonObject => plugins[0]?.raw ?? {};
const ipamOf = ({ ipam }: JsonObject): JsonObject => (isJsonObject(ipam) ? ipam : {});

/** Of what is to be built: {@link nativeLayout}, and throws ERR_CONFLIST_INVALID for routes that would lack something. */
export function buildableLayout(list: ConfList, source: string): NativeLayout {
  const layout = nativeLayout(list, source);
  refuse(routeProblem(ipamOf(firstOf(list))), source);
  return layout;
}

/** Throws ERR_CONFLIST_INVALID where {@link nativeProblem} sees a problem, or a range makes no sense. */
export function nativeLayout(list: ConfList, source: string): NativeLayout {
  refuse(nativeProblem(list), source);
  const raw = firstOf(list);
  const ipam = ipamOf(raw);
  const bridge = bridgeNameOf(raw);
  return {
    ...{ bridge, isGateway: raw['isGateway'] === true },
    bridges: bridgesOf(raw),
    hostRoutes: typeof raw[bridgeCountKey] === 'number' || raw[routedKey] === true,
    linkGroup: raw[routedKey] === true ? linkGroupOf(list.name) : null,
    mtu: typeof raw['mtu'] === 'number' ? raw['mtu'] : 0,
    ...{ hairpin: raw['hairpinMode'] === true, isolated: raw['portIsolation'] === true },
    promiscuous: raw['promiscMode'] === true,
    sets: rangeSets(descriptionsOf(ipam), source),
    addressDir: addressDirOf(ipam, list.name),
    routes: objects(ipam['routes']).map((route) => ({
      ...{ destination: text(route['dst']) ?? '', gateway: text(route['gw']) ?? null },
    })),
    dns: dnsOf(isJsonObject(raw['dns']) ? raw['dns'] : {}),
  };
}

/** `null`: only its plugins know which, as {@link nativeProblem} sees a problem, or the ranges are by other rules than ours. */
export function knownLayout(list: ConfList, source: string): NativeLayout | null {
  try {
    return nativeLayout(list, source);
  } catch (error) {
    if (isNetworkError(error, 'ERR_CONFLIST_INVALID')) return null;
    throw error;
  }
}

/** How an address's family leaves its subnet: by a gateway, or what stands for it. */
export interface Way<Gateway> {
  readonly isIpv6: boolean;
  readonly gateway: Gateway;
}

/** A route without a gateway goes by that of the first address of its family. */
export function withGateways<Gateway>(
  routes: readonly NetworkRoute[],
  ways: readonly Way<Gateway>[],
): readonly { readonly destination: string; readonly gateway: string | Gateway | null }[] {
  return routes.map(({ destination, gateway }) => {
    const way = ways.find(({ isIpv6 }) => isIpv6 === isIpv6Text(destination));
    return { destination, gateway: gateway ?? way?.gateway ?? null };
  });
}
