import { expect, it } from 'vitest';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import { capture } from '../support/capture.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { until } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip, outcomeOf, run } from '../support/run.ts';
import { standIn } from '../support/stand-in.ts';
import * as traffic from '../support/traffic.ts';
import { describeBackends } from './fixture.ts';
import { expectTraffic } from './layout-traffic.ts';
import { addressesOf, hostLinks, linksOf, ownRoutes, rules, vmRoutes } from './oracles.ts';

/** A bridge for each VM. */
const several: NetworkManagerOptions = { layout: 'bridges', subnet: '10.168.0.0/28', portsPerBridge: 1 };

/** What of a network that stands is not to be changed. */
const others: readonly NetworkManagerOptions[] = [
  { portsPerBridge: 14 },
  { bridge: 'other0' },
  { subnet: '10.168.0.0/27', portsPerBridge: 2 },
];

const masters = async () => (await hostLinks()).map(({ master }) => master).sort();

async function bridges(): Promise<readonly string[]> {
  const links = await linksOf(null);
  return links.flatMap(({ ifname, linkinfo }) => (linkinfo?.info_kind === 'bridge' ? [ifname] : []));
}

/** What somebody did to the way of vm-1, and what `check` calls it. */
const damages: readonly (readonly [string, readonly string[], string])[] = [
  ['its route is gone', ['ip', 'route', 'delete', '10.168.0.2'], 'route'],
  ['its route leads elsewhere', ['ip', 'route', 'replace', '10.168.0.2', 'dev', 'lo'], 'route'],
  ["the subnet's own route is gone", ['ip', 'route', 'delete', 'unreachable', '10.168.0.0/28'], 'route'],
  ['the gateway is gone', ['ip', 'address', 'delete', '10.168.0.1/32', 'dev', 'fcbr0'], 'bridge'],
  ['the host answers for nobody', ['sysctl', '-qw', 'net.ipv4.conf.fcbr0.proxy_arp=0'], 'link'],
  ['the host answers late', ['sysctl', '-qw', 'net.ipv4.neigh.fcbr0.proxy_delay=80'], 'link'],
  ['its bridge is gone', ['ip', 'link', 'delete', 'fcbr0'], 'bridge'],
];

describeBackends(
  'several bridges',
  (lab) => {
    it('are added as they are needed, each with the gateway, and go with the network', async () => {
      const before = await canonicalDump();
      const manager = await lab.open(several);
      expect(await bridges()).toEqual(['fcbr0']);
      const constant = await rules();
      const [first, second] = [await manager.setup('vm-1'), await manager.setup('vm-2')];
      expect(await bridges()).toEqual(['fcbr0', 'fcbr0-1']);
      expect(await masters()).toEqual(['fcbr0', 'fcbr0-1']);
      for (const name of await bridges()) expect(await addressesOf(null, name)).toEqual(['10.168.0.1/32']);
      expect(await vmRoutes()).toMatchObject([
        { dst: first.guestIp, dev: 'fcbr0', prefsrc: '10.168.0.1' },
        { dst: second.guestIp, dev: 'fcbr0-1', prefsrc: '10.168.0.1' },
      ]);
      expect(second).toMatchObject({ prefixLength: 28, gatewayIp: '10.168.0.1' });
      expect(second.result).toMatchObject({ interfaces: [{ name: 'fcbr0-1' }, {}, {}, {}, {}] });
      expect(await rules()).toEqual(constant);
      // Its firewall would be none for VMs that are elsewhere.
      for (const other of others) {
        const opened = lab.open({ ...several, ...other });
        await expectRefusal(opened, 'ERR_BRIDGE_CONFLICT', 'network fcnet is there', { step: 'conflist' });
      }
      await manager.teardown('vm-1');
      await manager.teardown('vm-2');
      expect(await vmRoutes()).toEqual([]);
      await manager.removeNetwork();
      expect(await ownRoutes()).toEqual([]);
      await expectUnchanged(before);
    });

    it('are filled evenly, whoever else fills them, and on beyond their share when there are no more', async () => {
      const options = { ...several, subnet: '10.168.0.0/29', portsPerBridge: 2 };
      const manager = await lab.open(options);
      const vms = ['vm-1', 'vm-2', 'vm-3', 'vm-4', 'vm-5'];
      const nets = await Promise.all(vms.map((vm) => manager.setup(vm)));
      const filled = ['fcbr0', 'fcbr0', 'fcbr0-1', 'fcbr0-1', 'fcbr0-2'];
      expect(await masters()).toEqual(filled);
      const gone = nets.find(({ result }) => JSON.stringify(result).includes('fcbr0-1'));
      await manager.teardown(gone?.vmId ?? '', { wait: true });
      await until('the port to go', async () => (await masters()).length === 4);
      // One that counts anew.
      const fresh = await lab.open({ ...options, shutdown: 'leave' });
      await fresh.setup('vm-6');
      expect(await masters()).toEqual(filled);
      // Ports of others, which the next manager finds.
      for (const index of [0, 1, 2]) {
        const peer = ['peer', 'name', `peer${index}`];
        await ip('link', 'add', `other${index}`, 'master', 'fcbr0-1', 'type', 'veth', ...peer);
      }
      await fresh.teardown('vm-6', { wait: true });
      await until('the port to go', async () => (await masters()).length === 4);
      const second = await lab.open({ ...options, shutdown: 'leave' });
      await second.setup('vm-7');
      expect(await masters()).toEqual([...filled.slice(0, 3), 'fcbr0-2', 'fcbr0-2']);
    });

    it('let VMs reach each other, the gateway, what hostAccess lists and the world; nobody answers for nobody', () =>
      expectTraffic(lab, several, async () => 'fcbr0'));

    it('keep broadcasts to themselves, and isolated VMs apart', async () => {
      const manager = await lab.open({ ...several, portsPerBridge: 2, isolated: true });
      const nets = [await manager.setup('vm-1'), await manager.setup('vm-2'), await manager.setup('vm-3')];
      expect(await masters()).toEqual(['fcbr0', 'fcbr0', 'fcbr0-1']);
      const [first = '', second = '', third = ''] = await Promise.all(nets.map(standIn));
      for (const peer of nets.slice(1)) expect(await traffic.isUnanswered(first, peer.guestIp)).toBe(true);
      await lab.open({ ...several, portsPerBridge: 2, shutdown: 'leave' });
      for (const each of await hostLinks()) {
        await run('bridge', ['link', 'set', 'dev', each.ifname, 'isolated', 'off']);
      }
      await until('the neighbour to be found', () => traffic.ping(first, nets[1]?.guestIp ?? ''));
      await using near = await capture(second, 'eth0');
      await using far = await capture(third, 'eth0');
      await outcomeOf('nsenter', [`--net=${first}`, '--', 'ping', '-b', '-c', '1', '-W', '1', '10.168.0.15']);
      const called = Buffer.from('0aa8000f', 'hex');
      await until('the broadcast next door', () => near.has(called));
      // What comes to it after the broadcast would have.
      const marker = Buffer.from('ffffffffffffffff', 'hex');
      await run('ping', ['-c', '1', '-w', '10', '-p', 'ff', nets[2]?.guestIp ?? '']);
      await until('a ping from the host', () => far.has(marker));
      expect(far.has(called)).toBe(false);
    });

    it.each(damages)('are put right by repair when %s', async (_title, [file = '', ...args], subject) => {
      const manager = await lab.open(several);
      const { guestIp } = await manager.setup('vm-1');
      expect(guestIp).toBe('10.168.0.2');
      expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
      const before = await canonicalDump();
      await run(file, args);
      const { differences } = await manager.check('vm-1');
      expect(differences.map((each) => each.subject)).toContain(subject);
      expect(await manager.repair('vm-1')).toMatchObject({ ok: true });
      expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
      await expectUnchanged(before);
    });

    it('lose by gc the routes that lead to nobody, and no other', async () => {
      const manager = await lab.open(several);
      await manager.setup('vm-1');
      const before = await canonicalDump();
      await ip('route', 'add', '10.168.0.7', 'dev', 'fcbr0', 'proto', '118');
      await manager.gc({ keep: ['vm-1'] });
      await expectUnchanged(before);
    });

    it('take the place of a route that a dead process has left, and of nobody else’s', async () => {
      const manager = await lab.open(several);
      const address = '10.168.0.7';
      await ip('route', 'add', address, 'dev', 'fcbr0', 'proto', 'static');
      const before = await canonicalDump();
      await expectRefusal(manager.setup('vm-1', { address }), 'ERR_KERNEL', 'a route to it that is not ours');
      await expectUnchanged(before);
      await ip('route', 'change', address, 'dev', 'fcbr0', 'proto', '118');
      await manager.setup('vm-1', { address });
      expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
    });

    it('are not made where a set-up fails, and leave no route', async () => {
      const manager = await lab.open(several);
      await manager.setup('vm-1');
      await ip('link', 'add', 'fcbr0-1', 'type', 'veth', 'peer', 'name', 'peer');
      const before = await canonicalDump();
      await expectRefusal(manager.setup('vm-2'), 'ERR_BRIDGE_CONFLICT', 'another kind');
      await expectUnchanged(before);
    });
  },
  ['native'],
);
