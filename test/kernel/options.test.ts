import { readdir } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { NetworkManager } from '../../lib/network-manager.ts';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import { backends } from '../support/backends.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { resetLab } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { describeWith } from '../support/require.ts';
import { ip, nft, run } from '../support/run.ts';
import { debianPluginDir } from '../support/tools.mjs';

interface PortDetails {
  readonly ifname: string;
  readonly ifalias?: string;
  readonly promiscuity: number;
  readonly linkinfo?: {
    readonly info_slave_data?: { readonly hairpin: boolean; readonly isolated: boolean };
  };
}

async function linkOf(alias: RegExp): Promise<PortDetails> {
  const links: readonly PortDetails[] = JSON.parse(await ip('-j', '-details', 'link', 'show'));
  const link = links.find(({ ifalias = '' }) => alias.test(ifalias));
  if (link === undefined) throw new Error(`no link has an alias like ${alias.source}`);
  return link;
}

const addressFiles = async () =>
  (await readdir('/run/cni/networks/fcnet')).filter((name) => /^[0-9]/.test(name)).sort();

describeWith(['lab', 'tun', 'debian-plugins'], 'options of the network', () => {
  describe.each(backends)('on the %s backend', (backend) => {
    let managers: NetworkManager[] = [];
    const open = async (options: NetworkManagerOptions = {}) => {
      const manager = await NetworkManager.open({
        ...{ backend, verify: 'off', pluginDirs: [debianPluginDir], ...options },
      });
      managers.push(manager);
      return manager;
    };

    beforeEach(resetLab);
    afterEach(async () => {
      for (const manager of managers) await manager[Symbol.asyncDispose]();
      managers = [];
    });

    it.each([
      ['hairpin', { hairpin: true, isolated: false }],
      ['isolated', { hairpin: false, isolated: true }],
    ] as const)('%s is a property of the port', async (option, wanted) => {
      const manager = await open({ [option]: true });
      await manager.setup('vm-1');
      expect((await linkOf(/ vm-1 /)).linkinfo?.info_slave_data).toMatchObject(wanted);
      expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
    });

    it('promiscuous is one of the bridge', async () => {
      const manager = await open({ promiscuous: true });
      await manager.setup('vm-1');
      expect(await ip('-details', 'link', 'show', 'fcbr0')).toMatch(/PROMISC/);
    });

    it('dns, routes and mtu reach the guest', async () => {
      const dns = {
        nameservers: ['10.168.0.53'],
        domain: 'vms.example',
        search: ['example'],
        options: ['ndots:2'],
      };
      const routes = [{ destination: '10.0.0.0/8' }, { destination: '0.0.0.0/0', gateway: '10.168.0.9' }];
      const manager = await open({ dns, routes, mtu: 1400 });
      const net = await manager.setup('vm-1');
      expect(net).toMatchObject({ dns, mtu: 1400 });
      expect(net.routes).toEqual([
        { destination: '10.0.0.0/8', gateway: null },
        { destination: '0.0.0.0/0', gateway: '10.168.0.9' },
      ]);
      expect(await ip('-n', 'vulcan-vm-1', 'route', 'show', '10.0.0.0/8')).toMatch(/via 10.168.0.1 dev eth0/);
      expect(await ip('-n', 'vulcan-vm-1', 'route', 'show', 'default')).toMatch(/via 10.168.0.9 dev eth0/);
    });

    it('the MTU is that of the uplink unless given', async () => {
      await ip('link', 'add', 'up0', 'mtu', '1400', 'type', 'veth', 'peer', 'name', 'up1');
      await ip('address', 'add', '192.0.2.2/24', 'dev', 'up0');
      for (const link of ['up0', 'up1']) await ip('link', 'set', link, 'up');
      await ip('route', 'add', 'default', 'via', '192.0.2.1');
      const manager = await open();
      expect((await manager.setup('vm-1')).mtu).toBe(1400);
    });

    it('addresses come from the ranges alone', async () => {
      const ranges = [
        { start: '10.168.0.20', end: '10.168.0.20' },
        { start: '10.168.0.40', end: '10.168.0.41' },
      ];
      const manager = await open({ ranges });
      const ips = [];
      for (const vmId of ['vm-1', 'vm-2', 'vm-3']) ips.push((await manager.setup(vmId)).guestIp);
      expect(ips).toEqual(['10.168.0.20', '10.168.0.40', '10.168.0.41']);
      const before = await canonicalDump();
      await expectRefusal(manager.setup('vm-4'), 'ERR_ADDRESSES_EXHAUSTED', /10\.168\.0\.20-10\.168\.0\.20/, {
        rolledBack: true,
      });
      await expectUnchanged(before);
    });

    it('setup gives the address that it is asked for, unless somebody has it', async () => {
      const manager = await open();
      expect(await manager.setup('vm-1', { address: '10.168.0.77' })).toMatchObject({
        guestIp: '10.168.0.77',
        gatewayIp: '10.168.0.1',
        prefixLength: 24,
      });
      const before = await canonicalDump();
      await expectRefusal(
        manager.setup('vm-2', { address: '10.168.0.77' }),
        'ERR_ADDRESS_TAKEN',
        /10\.168\.0\.77/,
        {
          rolledBack: true,
        },
      );
      await expectRefusal(
        manager.setup('vm-2', { address: '10.99.0.7' }),
        'ERR_OPTION_INVALID',
        /10\.168\.0\.0\/24/,
      );
      await expectUnchanged(before);
      await manager.teardown('vm-1');
      expect(await addressFiles()).toEqual([]);
    });

    it('a guard stands for every VM, from its setup to its teardown', async () => {
      const manager = await open();
      const table = () => nft('list', 'table', 'bridge', 'vulcan');
      const { mac, guestIp } = await manager.setup('vm-1');
      const { ifname } = await linkOf(/ vm-1 /);
      expect(await table()).toContain(`"${ifname}" . ${mac} . ${guestIp}`);
      await manager.teardown('vm-1');
      expect(await table()).not.toContain(mac);
      expect(await table()).not.toContain(ifname);
      await manager.removeNetwork();
      expect(await nft('list', 'tables')).not.toContain('vulcan');
    });

    it('gc takes away the guard of a link that went by itself', async () => {
      const manager = await open();
      await manager.setup('vm-1');
      const { ifname } = await linkOf(/ vm-1 /);
      await ip('link', 'delete', ifname);
      await manager.gc({ keep: ['vm-1'] });
      expect(await nft('list', 'set', 'bridge', 'vulcan', 'ports')).not.toContain(ifname);
    });

    it('a guest of an IPv6 network may speak by its link-local address', async () => {
      const manager = await open({ subnet: 'fd78::/64' });
      const { guestIp } = await manager.setup('vm-1', { mac: '02:00:00:00:78:01' });
      const table = await nft('list', 'table', 'bridge', 'vulcan');
      for (const address of [guestIp, 'fe80::ff:fe00:7801', '::']) {
        expect(table).toContain(`02:00:00:00:78:01 . ${address}`);
      }
    });

    it('antiSpoofing: false lets guests be who they like', async () => {
      const manager = await open({ antiSpoofing: false });
      await manager.setup('vm-1');
      expect(await run('nft', ['list', 'tables'])).not.toContain('bridge');
      await manager.teardown('vm-1');
    });
  });
});
