import { readdir, readFile } from 'node:fs/promises';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { ownAddresses } from '../../lib/backends/attachment/guard.ts';
import type { NativeBinding } from '../../lib/native/binding.ts';
import type { NetworkManager } from '../../lib/network-manager.ts';
import type { NetworkManagerOptions, PoolOptions } from '../../lib/options.ts';
import type { NetworkConfig, NetworkLayout } from '../../lib/types.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { leaveTimeWait, speakTo, tracked, untilNoSockets } from '../support/flows.ts';
import { interrupted } from '../support/interrupted.ts';
import { until } from '../support/lab.ts';
import {
  buildRudeVmm,
  lookAtTap,
  type RudeVmm,
  startRudeVmm,
  switchOffloadOff,
} from '../support/rude-vmm.ts';
import { ip, nft, outcomeOf, run, runIn } from '../support/run.ts';
import { Vmms } from '../support/vmm.ts';
import { writeDualStack } from './dual-stack.ts';
import { type ContractLab, describeBackends } from './fixture.ts';
import { flip, hostLinks, linkOf, linksOf, portStateOf } from './oracles.ts';
import { oneAddress, watchPool } from './pool-state.ts';

const poolOf = (manager: NetworkManager) => {
  const [pool] = manager.stats().pools;
  if (pool === undefined) throw new Error('there is no pool');
  return pool;
};

const untilReady = (manager: NetworkManager, count: number) =>
  until(`${count} slots`, () => poolOf(manager).ready === count && poolOf(manager).resting === 0);

async function openWarm(
  lab: ContractLab,
  pool: Partial<PoolOptions>,
  options: NetworkManagerOptions = {},
  binding?: NativeBinding,
): Promise<NetworkManager> {
  const manager = await lab.open({ ...options, pool: { min: 1, max: 1, restMs: 0, ...pool } }, binding);
  await manager.warmUp();
  return manager;
}

const hostLink = async () => `${(await hostLinks())[0]?.ifname}`;

const neighbours = async (address: string) => JSON.parse(await ip('-j', 'neigh', 'show', address));

const learnt = async (link: string) =>
  (JSON.parse(await run('bridge', ['-j', 'fdb', 'show', 'dev', link])) as { mac: string; state: string }[])
    .filter(({ state }) => state !== 'permanent')
    .map(({ mac }) => mac);

/** All that there is with one VM, without the VM's name. */
async function dumpOfOne(manager: NetworkManager, vmId: string): Promise<string> {
  const net = await manager.setup(vmId);
  expect(net.origin).toBe('warm');
  await until('the alias', async () =>
    (await hostLinks()).some(({ ifalias = '' }) => ifalias.includes(vmId)),
  );
  expect(await manager.check(vmId)).toEqual({ ok: true, differences: [] });
  const links = (await linksOf(net.netnsPath)).map(({ ifname, address, mtu, linkinfo }) => [
    ...[ifname, address, mtu],
    linkinfo,
  ]);
  const parts = [
    await canonicalDump(),
    JSON.stringify(links),
    await lookAtTap(net),
    ...(await Promise.all(['-4', '-6'].map((family) => runIn(net.netnsPath, 'ip', family, 'rule', 'show')))),
    await runIn(net.netnsPath, 'ip', 'neigh', 'show'),
  ];
  await untilNoSockets(net.netnsPath);
  const lines = parts.join('\n').replaceAll(vmId, 'VM').split('\n');
  // The lock's file has the namespace's number in it, the address's the VM's name.
  return lines.map((line) => line.replace(/^(file \S+(?:VM\S*|10\.\S+) .*) \w+$/, '$1')).join('\n');
}

const vmms = new Vmms();
let rude: RudeVmm | undefined;

describeBackends(
  'a slot whose VM was torn down',
  (lab) => {
    beforeAll(buildRudeVmm);
    afterEach(async () => {
      await vmms.end();
      await rude?.end();
    });

    it('gives the next VM nothing of the last', async () => {
      const manager = await openWarm(lab, {}, oneAddress);
      const asNew = await dumpOfOne(manager, 'vm-1');
      const [link] = (await linksOf(null)).filter(({ ifname }) => ifname.startsWith('vn'));
      await manager.teardown('vm-1');
      await untilReady(manager, 1);
      const net = await manager.setup('vm-2');
      expect(net.origin).toBe('warm');
      rude = await startRudeVmm(net);
      await speakTo(net.guestIp);
      await ip('neigh', 'replace', net.guestIp, 'lladdr', net.mac, 'dev', 'fcbr0', 'nud', 'stale');
      await run('bridge', ['fdb', 'replace', net.mac, 'dev', `${link?.ifname}`, 'master', 'dynamic']);
      expect(await learnt(`${link?.ifname}`)).toEqual([net.mac]);
      const tap = await linkOf(net.netnsPath, 'tap0');
      expect(tap).toMatchObject({ linkinfo: { info_data: { user: 4321, group: 4321 } } });
      await rude.end();
      await untilNoSockets(net.netnsPath);
      await manager.teardown('vm-2');
      await untilReady(manager, 1);
      expect(await tracked(net.guestIp)).toEqual([]);
      expect(await neighbours(net.guestIp)).toEqual([]);
      expect(await learnt(`${link?.ifname}`)).toEqual([]);
      expect((await linkOf(null, `${link?.ifname}`)).ifalias).toBeUndefined();
      expect(await dumpOfOne(manager, 'vm-3')).toBe(asNew);
      expect(manager.stats().latency).toMatchObject({
        ...{ setup: { warm: { count: 3 }, cold: { count: 0 } } },
        ...{ teardown: { count: 2 }, recycled: { count: 2 } },
      });
    });

    it('takes its own connections with it, and none of anybody else', async () => {
      const manager = await openWarm(lab, {}, { conflist: await writeDualStack() });
      for (const who of ['vm-1', 'vm-2']) {
        const { origin, addresses, mac } = await manager.setup(who);
        expect(origin).toBe('warm');
        await speakTo('::1');
        const [linkLocal = ''] = ownAddresses(mac, true);
        await ip('-6', 'route', 'replace', linkLocal, 'dev', 'dual0');
        // The second leaves nothing of its IPv6 addresses.
        const all = [...addresses.map(({ ip }) => ip), linkLocal];
        const spoken = who === 'vm-1' ? all : all.slice(0, 1);
        for (const ip of spoken) await speakTo(ip, 'dual0');
        await manager.teardown(who);
        await untilReady(manager, 1);
        for (const ip of spoken) expect(await tracked(ip)).toEqual([]);
        expect(await tracked('::1')).not.toEqual([]);
      }
      expect(manager.stats().latency).toMatchObject({ recycled: { count: 2 } });
    });

    const spoilings: Readonly<Record<string, (net: NetworkConfig) => Promise<unknown>>> = {
      'a process in its namespace': ({ netnsPath }) => vmms.start(netnsPath),
      'its TAP in the hands of a VMM': async (net) => {
        rude = await startRudeVmm(net);
      },
      'another address': ({ netnsPath }) =>
        runIn(netnsPath, 'ip', 'address', 'add', '10.168.0.77/24', 'dev', 'eth0'),
      'another route': ({ netnsPath }) =>
        runIn(netnsPath, 'ip', 'route', 'add', '192.0.2.0/24', 'dev', 'eth0'),
      'another rule': ({ netnsPath }) => runIn(netnsPath, 'ip', 'rule', 'add', 'prio', '7', 'blackhole'),
      'another link': ({ netnsPath }) => runIn(netnsPath, 'ip', 'link', 'add', 'd0', 'type', 'bridge'),
      'another neighbour': ({ netnsPath }) =>
        runIn(netnsPath, 'ip', 'neigh', 'add', '10.168.0.9', 'lladdr', '02:00:00:00:00:09', 'dev', 'eth0'),
      'another MTU': ({ netnsPath }) => runIn(netnsPath, 'ip', 'link', 'set', 'tap0', 'mtu', '1400'),
      'another setting of a link': ({ netnsPath }) =>
        runIn(netnsPath, 'sh', '-c', 'echo 1 >/proc/sys/net/ipv4/conf/eth0/proxy_arp'),
      'another filter': ({ netnsPath }) =>
        runIn(
          netnsPath,
          'sh',
          '-c',
          'tc filter add dev tap0 parent ffff: prio 1 u32 match u32 0 0 flowid 1:1',
        ),
      'another qdisc': ({ netnsPath }) =>
        runIn(netnsPath, 'sh', '-c', 'tc qdisc add dev eth0 root handle 9: pfifo limit 7'),
      'rules of nftables': ({ netnsPath }) => runIn(netnsPath, 'nft', 'add', 'table', 'netdev', 'x'),
      'no TAP': ({ netnsPath }) => runIn(netnsPath, 'ip', 'link', 'delete', 'tap0'),
      'a connection in TIME_WAIT': ({ netnsPath }) => leaveTimeWait(netnsPath),
      'another setting of the host’s link': async () => ip('link', 'set', await hostLink(), 'mtu', '1400'),
      'a filter on the host’s link': async () =>
        run('tc', ['qdisc', 'add', 'dev', await hostLink(), 'clsact']),
      'a qdisc of the host’s link': async () => {
        const link = await hostLink();
        const length = await readFile(`/sys/class/net/${link}/tx_queue_len`, 'utf8');
        await run('tc', ['qdisc', 'add', 'dev', link, 'root', 'pfifo', 'limit', '7']);
        // Which the kernel has set for a qdisc that takes its limit from it.
        await ip('link', 'set', link, 'txqueuelen', length.trim());
      },
      'an address of the host’s link': async () =>
        ip('address', 'add', '192.0.2.7/32', 'dev', await hostLink()),
      'an offload of the host’s link': async () => switchOffloadOff(await hostLink()),
    };

    it.each(Object.keys(spoilings))('is destroyed with %s', async (what) => {
      const manager = await openWarm(lab, {}, oneAddress);
      const net = await manager.setup('vm-1');
      await until('the alias', async () => (await hostLinks()).length === 1);
      await spoilings[what]?.(net);
      const { seen, forget } = watchPool();
      await manager.teardown('vm-1');
      await until('its end', () => seen.includes('destroyed'));
      forget();
      expect(seen).not.toContain('recycled');
      await untilReady(manager, 1);
      expect(await manager.setup('vm-2')).toMatchObject({ origin: 'warm', guestIp: net.guestIp });
      expect(await manager.check('vm-2')).toEqual({ ok: true, differences: [] });
    });

    it('stays cut off while it rests, whatever who is in its namespace does with the link there', async () => {
      const manager = await openWarm(lab, { restMs: 60_000 }, oneAddress);
      const net = await manager.setup('vm-1');
      await until('the alias', async () => (await hostLinks()).length === 1);
      const [link] = await hostLinks();
      const its = () => linkOf(null, `${link?.ifname}`);
      const { netns } = await vmms.start(net.netnsPath);
      await runIn(netns, 'tc', 'qdisc', 'delete', 'dev', 'eth0', 'ingress');
      const reaches = async (patienceS: string) => {
        const ping = ['ping', '-c', '1', '-w', patienceS, '10.168.0.1'];
        return (await outcomeOf('nsenter', [`--net=${netns}`, '--', ...ping])).exitCode === 0;
      };
      expect(await reaches('30')).toBe(true);
      const { seen, forget } = watchPool();
      await manager.teardown('vm-1');
      // Whoever has left it goes on before it is cut off for good.
      await until('the cut', async () => (await its()).linkmode === 'DORMANT');
      const states: unknown[] = [];
      let hasReached = false;
      while (states.length < 3) {
        await flip(netns, 'eth0');
        states.push(portStateOf(await its()));
        hasReached ||= await reaches('1');
      }
      expect(new Set(states)).toEqual(new Set(['disabled']));
      expect(hasReached).toBe(false);
      await manager.close();
      forget();
      expect(seen).toContain('destroyed');
    });

    it('comes back from a bridge that runs the spanning tree protocol', async () => {
      const manager = await openWarm(lab, {}, oneAddress);
      await ip('link', 'set', 'fcbr0', 'type', 'bridge', 'stp_state', '1');
      await manager.setup('vm-1');
      await manager.teardown('vm-1');
      await untilReady(manager, 1);
      expect(await manager.setup('vm-2')).toMatchObject({ origin: 'warm' });
      expect(manager.stats().latency).toMatchObject({ recycled: { count: 1 } });
      // By the protocol's own pace.
      await until('the port', async () =>
        (await linksOf(null)).some((each) => portStateOf(each) === 'forwarding'),
      );
    });

    it('is kept of a guest that joined a group, on a bridge of the user’s own that snoops, and forgets it', async () => {
      await ip('link', 'add', 'br0', 'type', 'bridge', 'mcast_snooping', '1');
      const manager = await openWarm(lab, {}, { ...oneAddress, bridge: 'br0', subnet: '10.168.0.0/24' });
      const net = await manager.setup('vm-1');
      await until('the alias', async () => (await hostLinks()).length === 1);
      const [link] = await hostLinks();
      const group = ['dev', 'br0', 'port', `${link?.ifname}`, 'grp', '239.1.1.1'];
      await run('bridge', ['mdb', 'add', ...group, 'temp']);
      await manager.teardown('vm-1');
      await untilReady(manager, 1);
      expect(await manager.setup('vm-2')).toMatchObject({ origin: 'warm', mac: net.mac });
      expect(await run('bridge', ['mdb', 'show'])).not.toContain('239.1.1.1');
    });

    it('is guarded again where somebody has flushed the rules', async () => {
      const manager = await openWarm(lab, {}, oneAddress);
      await manager.setup('vm-1');
      const guarded = () => nft('list', 'set', 'bridge', 'vulcan', 'bindings4');
      const before = await guarded();
      await nft('flush', 'set', 'bridge', 'vulcan', 'bindings4');
      await manager.teardown('vm-1');
      await untilReady(manager, 1);
      expect(await guarded()).toBe(before);
    });

    it('is waited for by the next VM, but not for long', async () => {
      const manager = await openWarm(lab, {}, oneAddress);
      // A busy host may have kept it waiting for too long.
      const next = async (): Promise<string> => {
        await untilReady(manager, 1);
        await manager.setup('vm-1');
        await manager.teardown('vm-1');
        const { origin } = await manager.setup('vm-2');
        await manager.teardown('vm-2');
        return origin;
      };
      const origins: string[] = [];
      while (origins.length < 20 && !origins.includes('warm')) origins.push(await next());
      expect(origins).toContain('warm');
      await untilReady(manager, 1);
      rude = await startRudeVmm(await manager.setup('vm-1'));
      await manager.teardown('vm-1');
      expect(await manager.setup('vm-2')).toMatchObject({ origin: 'cold' });
    });

    it('is left by a process that ends a moment later', async () => {
      const endsAfterTheFirstProof = () => interrupted('slotsProve', { after: async () => rude?.end() });
      const isTheSame = async (): Promise<boolean> => {
        const manager = await openWarm(lab, {}, oneAddress, endsAfterTheFirstProof());
        const net = await manager.setup('vm-1');
        rude = await startRudeVmm(net);
        await manager.teardown('vm-1');
        await untilReady(manager, 1);
        const { origin, mac } = await manager.setup('vm-2');
        expect(origin).toBe('warm');
        await manager.close();
        return mac === net.mac;
      };
      // On a busy host what it had may be freed too late.
      let hasComeBack = false;
      for (let round = 0; round < 10 && !hasComeBack; round += 1) hasComeBack = await isTheSame();
      expect(hasComeBack).toBe(true);
    });

    it('rests, and gives way to whoever needs its address', async () => {
      const manager = await openWarm(lab, { restMs: 60_000 }, oneAddress);
      await manager.setup('vm-1');
      await manager.teardown('vm-1');
      await manager.teardown('vm-1');
      expect(poolOf(manager)).toMatchObject({ ready: 0, resting: 1, inUse: 0 });
      expect(await manager.list()).toEqual([]);
      expect(await manager.setup('vm-2')).toMatchObject({ origin: 'cold', guestIp: '10.168.0.2' });
      expect(poolOf(manager)).toMatchObject({ resting: 0 });
    });

    it('comes back the longest free first, and says so', async () => {
      const { seen, forget } = watchPool();
      const manager = await openWarm(lab, { min: 3, max: 3 }, { subnet: '10.168.0.0/29' });
      const ids = ['vm-1', 'vm-2', 'vm-3'];
      const first: string[] = [];
      for (const id of ids) first.push((await manager.setup(id)).guestIp);
      for (const id of [...ids].reverse()) {
        await manager.teardown(id);
        await until('its return', () => poolOf(manager).resting === 0);
      }
      const again: string[] = [];
      for (const id of ids) again.push((await manager.setup(id)).guestIp);
      forget();
      const recycled = again.filter((address) => first.includes(address));
      expect(recycled).toEqual([...first].reverse().filter((address) => recycled.includes(address)));
      expect(recycled.length).toBeGreaterThan(0);
      expect(seen).toContain('recycled');
    });

    it('is not kept by who waits for its namespace to go, nor where it is not to be', async () => {
      const manager = await openWarm(lab, {}, oneAddress);
      await manager.setup('vm-1');
      await manager.teardown('vm-1', { wait: true });
      expect(manager.stats().latency).toMatchObject({ teardown: { count: 1 }, recycled: { count: 0 } });
      await manager.close();
      const other = await openWarm(lab, { recycle: false }, oneAddress);
      await other.setup('vm-1');
      await other.teardown('vm-1');
      expect(other.stats().latency).toMatchObject({ teardown: { count: 1 }, recycled: { count: 0 } });
    });

    it('goes with the pool', async () => {
      await (await lab.open({ shutdown: 'leave' })).close();
      const before = await canonicalDump();
      for (const restMs of [0, 60_000]) {
        const manager = await openWarm(lab, { min: 2, max: 4, restMs });
        await Promise.all(['vm-1', 'vm-2'].map((vmId) => manager.setup(vmId)));
        await Promise.all(['vm-1', 'vm-2'].map((vmId) => manager.teardown(vmId)));
        await manager.close();
        await expectUnchanged(before);
      }
    });

    it.each<NetworkLayout>(['bridges', 'routed'])('is as good as new in the layout %s', async (layout) => {
      const manager = await openWarm(lab, {}, { ...oneAddress, layout });
      const asNew = await dumpOfOne(manager, 'vm-1');
      await manager.teardown('vm-1');
      await untilReady(manager, 1);
      expect(await dumpOfOne(manager, 'vm-2')).toBe(asNew);
      await manager.teardown('vm-2');
      await untilReady(manager, 1);
      const owned = await readdir('/run/cni/networks/fcnet');
      expect(owned.filter((name) => name.startsWith('10.'))).toEqual(['10.168.0.2']);
    });
  },
  ['native'],
);
