import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { runIn } from '../support/run.ts';

/** What a chain leaves in a VM's namespace, as text, without what differs from run to run: test/golden/README.md. */
export interface NamespaceState {
  readonly links: unknown;
  readonly addresses: unknown;
  readonly routes: unknown;
  readonly qdiscs: unknown;
  readonly filters: unknown;
  readonly tap: unknown;
  readonly sysctl: unknown;
}

type Json = { readonly [key: string]: unknown };

/** Differs from run to run, or only says what machine and kernel this is. */
const meaningless = new Set([
  ...['ifindex', 'link_index', 'link_netnsid', 'index', 'stats', 'installed', 'last_used', 'first_used'],
  ...[
    'bytes',
    'packets',
    'drops',
    'overlimits',
    'requeues',
    'backlog',
    'refcnt',
    'used_hw_stats',
    'not_in_hw',
  ],
  ...['num_tx_queues', 'num_rx_queues', 'gso_max_size', 'gso_max_segs', 'tso_max_size', 'tso_max_segs'],
  ...['gro_max_size', 'min_mtu', 'max_mtu', 'promiscuity', 'allmulti'],
]);

const randomMac = /^(?!02:00:00:00:78:01|00:00:00:00:00:00|ff:)([0-9a-f]{2}:){5}[0-9a-f]{2}$/;

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'string') {
    return value.replace(randomMac, 'MAC').replace(/^fe80::[0-9a-f:]{4,}$/, 'LINK-LOCAL');
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([key]) => !meaningless.has(key));
  return Object.fromEntries(entries.map(([key, inner]) => [key, plain(inner)]));
}

/** The kernel lists routes and addresses by their random parts, too. */
function sorted(values: unknown): unknown {
  return (plain(values) as unknown[]).map((value) => JSON.stringify(value)).sort();
}

/** The settings that bridge and tc-redirect-tap set, or that a VM would notice. */
const sysctlKeys = ['accept_dad', 'accept_ra', 'addr_gen_mode', 'arp_notify', 'disable_ipv6', 'enhanced_dad']
  .concat(['keep_addr_on_down', 'proxy_arp', 'rp_filter'])
  .flatMap((key) => ['ipv4', 'ipv6'].map((family) => ({ family, key })));

function stateOf(read: (file: string) => string, tap: string): NamespaceState {
  const json = (file: string): Json[] => JSON.parse(read(`${file}.json`));
  const sysctl = read('ns-sysctl-changed.txt').split('\n');
  return {
    links: sorted(json('ns-link')),
    addresses: sorted(
      json('ns-addr').map((link) => ({ ifname: link['ifname'], ...{ info: link['addr_info'] } })),
    ),
    routes: sorted(json('ns-route4')),
    qdiscs: ['eth0', tap].map((device) => plain(json(`ns-qdisc-${device}`))),
    filters: ['eth0', tap].map((device) => plain(json(`ns-filter-${device}`))),
    tap: read(`ns-tap-${tap}.txt`)
      .split('\n')
      .filter((line) => /^(tun_flags|owner|group|mtu|flags|carrier|operstate|tx_queue_len)=/.test(line)),
    sysctl: sysctlKeys.flatMap(({ family, key }) =>
      ['eth0', tap].flatMap((device) =>
        sysctl
          .filter((line) => line.startsWith(`+${family}/conf/${device}/${key}=`))
          .map((line) => line.trim()),
      ),
    ),
  };
}

/** What the original left. */
export function goldenState(scenario: string, tap: string): NamespaceState {
  const directory = new URL(`../golden/${scenario}/1-after-add/`, import.meta.url);
  return stateOf((file) => readFileSync(new URL(file, directory), 'utf8'), tap);
}

async function tapAttributes(netns: string, tap: string): Promise<string> {
  const names = ['tun_flags', 'owner', 'group', 'mtu', 'flags', 'carrier', 'operstate', 'tx_queue_len'];
  // /sys shows the links of the namespace that it was mounted in.
  const script = `mount -t sysfs sysfs /sys && cd /sys/class/net/${tap} && grep -H . ${names.join(' ')}`;
  return (await runIn(netns, 'unshare', '--mount', 'sh', '-c', script)).replaceAll(':', '=');
}

async function sysctls(netns: string, tap: string): Promise<string> {
  const paths = ['eth0', tap].flatMap((device) =>
    sysctlKeys.map(({ family, key }) => `${family}/conf/${device}/${key}`),
  );
  const script = `cd /proc/sys/net && for key in "$@"; do [ -e $key ] && echo "+$key=$(cat $key)"; done; true`;
  return runIn(netns, 'sh', '-c', script, 'sh', ...paths);
}

/** What is there now. */
export async function namespaceState(netns: string, tap: string): Promise<NamespaceState> {
  const ip = (...args: string[]) => runIn(netns, 'ip', '-d', '-j', ...args);
  const tc = (...args: string[]) => runIn(netns, 'tc', '-s', '-d', '-j', ...args);
  const files: Record<string, string> = {
    'ns-link.json': await ip('link'),
    'ns-addr.json': await ip('addr'),
    'ns-route4.json': await ip('route', 'show', 'table', 'all'),
    'ns-sysctl-changed.txt': await sysctls(netns, tap),
    [`ns-tap-${tap}.txt`]: await tapAttributes(netns, tap),
  };
  for (const device of ['eth0', tap]) {
    files[`ns-qdisc-${device}.json`] = await tc('qdisc', 'show', 'dev', device);
    files[`ns-filter-${device}.json`] = await tc('filter', 'show', 'dev', device, 'ingress');
  }
  return stateOf((file) => files[file] ?? '', tap);
}

/** Whether duplicate address detection and carrier changes have been, and are over. */
export async function isSettled(netns: string): Promise<boolean> {
  const addresses = await runIn(netns, 'ip', '-j', 'addr');
  const links = JSON.parse(addresses) as { ifname: string; operstate: string }[];
  const isUp = links.some(({ ifname, operstate }) => ifname === 'eth0' && operstate === 'UP');
  return isUp && !addresses.includes('tentative') && links.every(({ operstate }) => operstate !== 'UNKNOWN');
}

export const readGolden = (path: string): Promise<string> =>
  readFile(new URL(`../golden/${path}`, import.meta.url), 'utf8');
