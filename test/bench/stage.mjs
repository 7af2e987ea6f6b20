/**
 * What every peer finds ready, as `open` makes it: a bridge with the gateway's address, the guard's table with empty
 * sets, the directories of the store, the locks and the records. One stage a peer, so that none inherits another's ports.
 */
import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { feed } from './feed.mjs';

const run = promisify(execFile);

const netnsDir = '/var/run/netns';

/** The ruleset of a guarded bridge: constant rules, two elements a VM. */
const guard = (table) => `
table bridge ${table} {
  set ports { type ifname; comment "links whose frames are looked at"; }
  set bindings4 {
    type ifname . ether_addr . ipv4_addr; comment "what the guest behind a link may say it is";
  }
  chain prerouting {
    type filter hook prerouting priority filter; policy accept;
    iifname @ports goto guard
  }
  chain guard {
    ether type arp iifname . ether saddr . arp saddr ip @bindings4 accept
    ether type ip iifname . ether saddr . ip saddr @bindings4 accept
    drop
  }
}
`;

/** iproute2 makes the directory of names a shared mount when it makes the first one. */
async function prepareNetnsDir() {
  await run('ip', ['netns', 'add', 'vulcan-stage']);
  await run('ip', ['netns', 'delete', 'vulcan-stage']);
}

async function prepareBridge(bridge, mac, address) {
  const settings = ['type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0'];
  await run('ip', ['link', 'add', bridge, 'address', mac, ...settings]);
  await writeFile(`/proc/sys/net/ipv6/conf/${bridge}/disable_ipv6`, '1');
  await run('ip', ['address', 'add', address, 'brd', '+', 'dev', bridge]);
  await run('ip', ['link', 'set', bridge, 'up']);
}

function conflist(network, bridge, subnet) {
  const ipam = { type: 'host-local', subnet, dataDir: '/run/cni/networks', routes: [{ dst: '0.0.0.0/0' }] };
  return {
    cniVersion: '1.0.0',
    name: network,
    plugins: [{ type: 'bridge', bridge, isGateway: true, ipam }, { type: 'tc-redirect-tap' }],
  };
}

/**
 * The settings of a peer, as it finds them in its environment.
 * @param {string} name short, a part of link names @param {number} octet of the subnet 10.<octet>.0.0/16
 */
export async function prepareStage(name, octet) {
  const network = `bench-${name}`;
  const bridge = `${name}br0`;
  const table = `bench_${name}`;
  const gateway = `10.${octet}.0.1`;
  const directories = {
    BENCH_LOCK_DIR: `/run/cni/${name}/locks`,
    BENCH_RECORD_DIR: `/run/cni/${name}/results`,
    BENCH_SCRATCH_DIR: `/run/cni/${name}/scratch`,
    BENCH_STORE_DIR: join('/run/cni/networks', network),
  };
  await prepareNetnsDir();
  for (const directory of Object.values(directories))
    await mkdir(directory, { recursive: true, mode: 0o700 });
  await prepareBridge(bridge, `02:be:0c:00:00:${octet.toString(16)}`, `${gateway}/16`);
  await feed('nft', ['-f', '-'], guard(table));
  const config = JSON.stringify(conflist(network, bridge, `10.${octet}.0.0/16`));
  return {
    ...directories,
    BENCH_NETWORK: network,
    BENCH_BRIDGE: bridge,
    BENCH_TABLE: table,
    BENCH_SUBNET: `10.${octet}.0.0`,
    BENCH_GATEWAY: gateway,
    BENCH_PREFIX_LENGTH: '16',
    BENCH_NETNS_DIR: netnsDir,
    BENCH_CONFIG_BASE64: Buffer.from(config).toString('base64'),
  };
}
