import type { RouteInfo } from '../../native/netlink.ts';

/** What leads to all addresses of a family. VPNs go before a default route by a route to each half. */
const families = [
  { whole: '0.0.0.0/0', halves: ['0.0.0.0/1', '128.0.0.0/1'] },
  { whole: '::/0', halves: ['::/1', '8000::/1'] },
] as const;

/** `RT_TABLE_MAIN`, and `RTN_UNICAST`: what leads somewhere. Other tables are for what rules say. */
const mainTable = 254;
const unicast = 1;

export const mainRoutes = (routes: readonly RouteInfo[]): readonly RouteInfo[] =>
  routes.filter(({ table, type }) => table === mainTable && type === unicast);

function bestTo(routes: readonly RouteInfo[], destination: string): RouteInfo | undefined {
  const all = routes.filter((route) => route.destination === destination);
  return all.sort((one, other) => one.metric - other.metric)[0];
}

function halvesOf(
  routes: readonly RouteInfo[],
  [low, high]: readonly [string, string],
): RouteInfo | undefined {
  return bestTo(routes, high) && bestTo(routes, low);
}

/** Of main routes the one that leads out of the host, by IPv4 where it has one. */
export function wayOut(routes: readonly RouteInfo[]): RouteInfo | undefined {
  return families
    .map(({ whole, halves }) => halvesOf(routes, halves) ?? bestTo(routes, whole))
    .find((route) => route !== undefined);
}

/** The destinations that main routes have in place of a default route, and that. */
export function waysOut(routes: readonly RouteInfo[]): ReadonlySet<string> {
  return new Set(
    families.flatMap(({ whole, halves }) => [
      whole,
      ...(halvesOf(routes, halves) === undefined ? [] : halves),
    ]),
  );
}
