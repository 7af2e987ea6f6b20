/** What `ip`, `tc` and `nft` print as JSON, as canonical lines. */

/** @typedef {Record<string, any>} Json */

/** `key=value` pairs of scalars, sorted, without the given keys. @param {Json} object @param {readonly string[]} without */
function pairs(object, without = []) {
  return Object.entries(object)
    .filter(([key, value]) => !without.includes(key) && (typeof value !== 'object' || value === null))
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join(' ');
}

/** @param {string[]} lines */
const sorted = (lines) => [...lines].sort();

/** Flags that follow from what the other end does. */
const carrierFlags = ['LOWER_UP', 'NO-CARRIER', 'RUNNING', 'DORMANT', 'M-DOWN'];

/** Timers, ids and counts that the kernel keeps beside a bridge's or a port's settings. */
const volatile = [
  'bridge_id',
  'root_id',
  'root_port',
  'root_path_cost',
  'designated_root',
  'designated_bridge',
  'designated_port',
  'designated_cost',
  'hello_timer',
  'tcn_timer',
  'topology_change_timer',
  'topology_change',
  'topology_change_detected',
  'gc_timer',
  'hold_timer',
  'message_age_timer',
  'forward_delay_timer',
  'config_pending',
  'fdb_n_learned',
  'id',
  'no',
  'num_queues',
];

/** @param {Json[]} links */
export function linkLines(links) {
  return sorted(
    links.map(({ ifname, mtu, flags, linkmode, group, master, ifalias, linkinfo = {} }) => {
      const kind = linkinfo.info_kind ?? 'physical';
      const steady = flags.filter((/** @type {string} */ flag) => !carrierFlags.includes(flag)).sort();
      const parts = [`link ${ifname} ${kind} mtu=${mtu} <${steady}>`];
      if (linkmode !== 'DEFAULT') parts.push(`mode=${linkmode}`);
      if (group !== 'default') parts.push(`group=${group}`);
      if (ifalias !== undefined) parts.push(`alias="${ifalias}"`);
      if (linkinfo.info_data) parts.push(pairs(linkinfo.info_data, volatile));
      if (master !== undefined)
        parts.push(`port of ${master}: ${pairs(linkinfo.info_slave_data ?? {}, volatile)}`);
      return parts.join(' ');
    }),
  );
}

/** The kernel's own link-local addresses follow from random MACs: only their presence counts. @param {Json[]} links */
export function addressLines(links) {
  return sorted(
    links.flatMap(({ ifname, addr_info: addresses }) =>
      addresses.map(({ family, local, prefixlen, scope }) =>
        family === 'inet6' && scope === 'link'
          ? `address ${ifname} ${local === 'fe80::1' ? local : 'fe80::*'}/${prefixlen} link`
          : `address ${ifname} ${local}/${prefixlen} ${scope}`,
      ),
    ),
  );
}

/** Routes that the kernel derives from addresses and links. */
const derivedTypes = ['local', 'broadcast', 'multicast', 'anycast'];

/** @param {Json[]} routes */
export function routeLines(routes) {
  return sorted(
    routes
      .filter(({ type = 'unicast', dst }) => !derivedTypes.includes(type) && dst !== 'ff00::/8')
      .map((route) => `route ${pairs(route, ['pref', 'expires', 'used', 'age'])}`),
  );
}

/** @param {Json[]} qdiscs */
export function qdiscLines(qdiscs) {
  return sorted(
    qdiscs.map(({ dev, kind, parent, options = {} }) =>
      `qdisc ${dev} ${kind} ${parent ?? 'root'} ${pairs(options)}`.trimEnd(),
    ),
  );
}

/** @param {string} link @param {Json[]} filters */
export function filterLines(link, filters) {
  return filters
    .filter(({ options }) => options !== undefined && options.ht_divisor === undefined)
    .map(({ kind, protocol, pref, options }) => {
      const match = pairs(options.match ?? {});
      const actions = (options.actions ?? []).map((/** @type {Json} */ action) =>
        pairs(action, ['index', 'ref', 'bind', 'installed', 'last_used', 'first_used']),
      );
      return [`filter ${link} ${kind} protocol=${protocol} pref=${pref} match(${match})`, ...actions].join(
        ' action ',
      );
    });
}

/** @param {any} value @returns {any} */
function withoutVolatile(value) {
  if (Array.isArray(value)) return value.map(withoutVolatile);
  if (value === null || typeof value !== 'object') return value;
  const { handle, expires, packets, bytes, ...kept } = value;
  if (Array.isArray(kept.elem)) {
    kept.elem = [...kept.elem].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  return Object.fromEntries(Object.entries(kept).map(([key, inner]) => [key, withoutVolatile(inner)]));
}

/** Tables, chains and sets in order of name; rules as they stand in their chain. @param {Json[]} objects */
export function nftLines(objects) {
  const kept = objects.filter((object) => !('metainfo' in object)).map(withoutVolatile);
  const rules = kept.filter((object) => 'rule' in object);
  const others = kept.filter((object) => !('rule' in object));
  const chainOf = ({ rule }) => `${rule.family} ${rule.table} ${rule.chain}`;
  const ordered = rules.sort((a, b) => (chainOf(a) < chainOf(b) ? -1 : chainOf(a) > chainOf(b) ? 1 : 0));
  return [
    ...sorted(others.map((object) => `nft ${JSON.stringify(object)}`)),
    ...ordered.map((o) => `nft ${JSON.stringify(o)}`),
  ];
}
