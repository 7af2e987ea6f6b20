import { encodeMap, encodeStruct, isJsonObject } from './json.ts';
import { type Decoded, decodeLegacyResult, decodeNewResult, decodeOldResult } from './protocol.ts';
import type { AnyResult, Dns, Interface, IpConfig, JsonObject, LegacyIpConfig, Route } from './types.ts';
import { atLeast, effectiveVersion, knownVersions } from './version.ts';

/** Reading results of any version, and printing them as libcni does. */

function decodeAs(version: string, value: unknown): Decoded<AnyResult> {
  if (!knownVersions.includes(version))
    return { ok: false, problem: `cniVersion: unknown version ${version}` };
  if (atLeast(version, '1.0.0')) return decodeNewResult(value);
  return atLeast(version, '0.3.0') ? decodeOldResult(value) : decodeLegacyResult(value);
}

/** A result that names no version has that of the configuration that its plugin was given. */
export function decodeResult(value: unknown, configVersion: string): Decoded<AnyResult> {
  if (value !== null && !isJsonObject(value)) return { ok: false, problem: 'not an object' };
  const named = value?.['cniVersion'];
  const version = effectiveVersion(typeof named === 'string' && named !== '' ? named : configVersion);
  return decodeAs(version, { ...value, cniVersion: version });
}

/** A field that Go would leave out is undefined, and so never printed. */
const omitEmpty = <T extends string | number | readonly unknown[]>(value: T): T | undefined =>
  value === '' || value === 0 || (Array.isArray(value) && value.length === 0) ? undefined : value;

const dnsObject = (dns: Dns) => ({
  nameservers: omitEmpty(dns.nameservers),
  domain: omitEmpty(dns.domain),
  search: omitEmpty(dns.search),
  options: omitEmpty(dns.options),
});

const isDnsEmpty = (dns: Dns) => Object.values(dnsObject(dns)).every((value) => value === undefined);

const interfaceObject = ({ name, mac, mtu, sandbox, socketPath, pciId }: Interface) => ({
  name,
  mac: omitEmpty(mac),
  mtu: omitEmpty(mtu),
  sandbox: omitEmpty(sandbox),
  socketPath: omitEmpty(socketPath),
  pciID: omitEmpty(pciId),
});

const ipObject = (old: boolean) => (ip: IpConfig) => ({
  version: old ? ip.version : undefined,
  interface: ip.interface ?? undefined,
  address: ip.address,
  gateway: ip.gateway ?? undefined,
});

const routeObject = ({ dst, gw, mtu, advmss, priority, table, scope }: Route) => ({
  dst,
  gw: gw ?? undefined,
  mtu: omitEmpty(mtu),
  advmss: omitEmpty(advmss),
  priority: omitEmpty(priority),
  table: table ?? undefined,
  scope: scope ?? undefined,
});

const legacyIpObject = (ip: LegacyIpConfig | null) =>
  ip === null
    ? undefined
    : { ip: ip.ip, gateway: ip.gateway ?? undefined, routes: omitEmpty(ip.routes.map(routeObject)) };

const isOld = ({ cniVersion }: AnyResult) => !atLeast(cniVersion, '1.0.0');

/** Up to 0.4.0 `dns` is always there, from 1.0.0 on only when it says something. */
function printed(result: AnyResult): object {
  const { cniVersion } = result;
  if ('ip4' in result) {
    const { ip4, ip6, dns } = result;
    return { cniVersion, ip4: legacyIpObject(ip4), ip6: legacyIpObject(ip6), dns: dnsObject(dns) };
  }
  const old = isOld(result);
  return {
    cniVersion,
    interfaces: omitEmpty(result.interfaces.map(interfaceObject)),
    ips: omitEmpty(result.ips.map(ipObject(old))),
    routes: omitEmpty(result.routes.map(routeObject)),
    dns: old || !isDnsEmpty(result.dns) ? dnsObject(result.dns) : undefined,
  };
}

/** The result as it is printed. */
export function resultText(result: AnyResult): string {
  return isOld(result) ? encodeStruct(printed(result)) : encodeMap(printed(result));
}

/** The result as it stands in a record: of any version with its keys in order. */
export function recordedResultText(result: AnyResult): string {
  return encodeMap(printed(result));
}

/** The printed result as a plain object, keys in libcni's order. */
export function resultObject(result: AnyResult): JsonObject {
  return JSON.parse(resultText(result));
}
