import { NetworkError } from '../errors.ts';
import { isIpv6Text } from './ip-text.ts';
import type { AnyResult, Interface, IpConfig, LegacyIpConfig, LegacyResult, Result, Route } from './types.ts';
import { atLeast, currentVersion, effectiveVersion, knownVersions } from './version.ts';

/** Results from one version of the specification to another, both ways, losing what libcni loses. */

const withoutNewFields = (value: Interface): Interface => ({ ...value, mtu: 0, socketPath: '', pciId: '' });
const withFamily = (ip: IpConfig): IpConfig => ({ ...ip, version: isIpv6Text(ip.address) ? '6' : '4' });
const withoutFamily = (ip: IpConfig): IpConfig => ({ ...ip, version: '' });

/** To a version from 0.3.0 on. */
function relabel(result: Result, cniVersion: string): Result {
  const [fromNew, toNew] = [atLeast(result.cniVersion, '1.0.0'), atLeast(cniVersion, '1.0.0')];
  if (fromNew === toNew) return { ...result, cniVersion };
  return {
    ...result,
    cniVersion,
    interfaces: toNew ? result.interfaces : result.interfaces.map(withoutNewFields),
    ips: result.ips.map(toNew ? withoutFamily : withFamily),
  };
}

function upgrade({ ip4, ip6, dns }: LegacyResult, cniVersion: string): Result {
  const families: [string, LegacyIpConfig | null][] = [
    ['4', ip4],
    ['6', ip6],
  ];
  const old: Result = {
    cniVersion: '0.4.0',
    interfaces: [],
    ips: families.flatMap(([version, ip]) =>
      ip === null ? [] : [{ version, interface: null, address: ip.ip, gateway: ip.gateway }],
    ),
    routes: families.flatMap(([, ip]) => ip?.routes ?? []),
    dns,
  };
  return relabel(old, cniVersion);
}

/** Of each family the first address, and of each route no more than where and through what. */
function downgrade(result: Result, cniVersion: string): LegacyResult {
  const old = relabel(result, '0.4.0');
  const legacy = (version: string, isOfFamily: (route: Route) => boolean): LegacyIpConfig | null => {
    const ip = old.ips.find((candidate) => candidate.version === version);
    if (ip === undefined) return null;
    const routes = old.routes.filter(isOfFamily).map(({ dst, gw }) => ({
      ...{ dst, gw },
      ...{ mtu: 0, advmss: 0, priority: 0, table: null, scope: null },
    }));
    return { ip: ip.address, gateway: ip.gateway, routes };
  };
  const ip4 = legacy('4', ({ dst }) => !isIpv6Text(dst));
  const ip6 = legacy('6', ({ dst }) => isIpv6Text(dst));
  if (ip4 === null && ip6 === null) {
    throw new NetworkError(
      'ERR_VERSION_UNSUPPORTED',
      `a result without an address cannot be told in CNI ${cniVersion}; use cniVersion 0.3.0 or later`,
    );
  }
  return { cniVersion, ip4, ip6, dns: old.dns };
}

/** Throws ERR_VERSION_UNSUPPORTED for a version that there is no format of, or that has no room for the result. */
export function convertResult(result: AnyResult, version: string): AnyResult {
  const cniVersion = effectiveVersion(version);
  if (result.cniVersion === cniVersion) return result;
  if (!knownVersions.includes(cniVersion)) {
    throw new NetworkError(
      'ERR_VERSION_UNSUPPORTED',
      `CNI ${cniVersion} is none of ${knownVersions.join(', ')}`,
    );
  }
  if (atLeast(cniVersion, '0.3.0')) {
    return 'ip4' in result ? upgrade(result, cniVersion) : relabel(result, cniVersion);
  }
  return 'ip4' in result ? { ...result, cniVersion } : downgrade(result, cniVersion);
}

/** The same in the newest version: what code that wants to know an attachment's links and addresses looks at. */
export function currentResult(result: AnyResult): Result {
  if (!('ip4' in result)) return relabel(result, currentVersion);
  return upgrade(result, currentVersion);
}
