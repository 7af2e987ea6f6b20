import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { listElements } from '../support/firewall.ts';
import { until } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { requires } from '../support/require.ts';
import { ip, nft, outcomeOf, runIn } from '../support/run.ts';
import { standIn } from '../support/stand-in.ts';
import { upstreamPluginDir } from '../support/tools.mjs';
import * as traffic from '../support/traffic.ts';
import { type ContractLab, describeBackends } from './fixture.ts';
import { addressesOf, hostLinks, untilHostLinks } from './oracles.ts';

const path = '/etc/cni/mine.conflist';
const dataDir = '/run/cni/networks';
const tap = { type: 'tc-redirect-tap' };

const bridgeWith = (ipam: object) => ({
  ...{ type: 'bridge', bridge: 'mine0', isGateway: true },
  ipam: { type: 'host-local', dataDir, ...ipam },
});

const write = (...plugins: readonly object[]) => writeIn('1.0.0', ...plugins);

async function writeIn(cniVersion: string, ...plugins: readonly object[]): Promise<void> {
  await writeFile(path, JSON.stringify({ cniVersion, name: 'mine', plugins }));
}

describeBackends('a conflist of the user, which is taken as it is:', (lab) => {
  it('dual stack', async () => {
    const ranges = [[{ subnet: '10.9.0.0/24' }], [{ subnet: 'fd79::/64' }]];
    await write(bridgeWith({ ranges, routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }] }), tap);
    const manager = await lab.open({ conflist: path });
    expect(manager.network).toBe('mine');
    const first = await manager.setup('vm-0');
    const before = await canonicalDump();
    const net = await manager.setup('vm-1');
    expect(net.addresses).toEqual([
      { family: 4, ip: '10.9.0.3', prefixLength: 24, gateway: '10.9.0.1' },
      { family: 6, ip: 'fd79::3', prefixLength: 64, gateway: 'fd79::1' },
    ]);
    expect(net.guestIp).toBe('10.9.0.3');
    expect(await addressesOf(net.netnsPath, 'eth0')).toEqual(['10.9.0.3/24', 'fd79::3/64']);
    expect(await listElements()).toMatchObject({
      ...{ subnets4: ['10.9.0.0/24 (mine)'], subnets6: ['fd79::/64 (mine)'], ipv6: ['mine0 (mine)'] },
    });
    await manager.teardown('vm-1');
    await expectUnchanged(before);
    expect(await manager.check(first.vmId)).toEqual({ ok: true, differences: [] });
    // Where plugins do the work, the ranges are theirs to know.
    if (lab.backend === 'cni') return;
    for (const { ip } of first.addresses) await rm(`${dataDir}/mine/${ip}`);
    expect(await manager.repair()).toMatchObject({ ok: true, failed: [] });
    expect(await manager.check(first.vmId)).toEqual({ ok: true, differences: [] });
  });

  it('IPv6 alone', async () => {
    await write(bridgeWith({ subnet: 'fd79::/64', routes: [{ dst: '::/0' }] }), tap);
    const net = await (await lab.open({ conflist: path })).setup('vm-1');
    expect(net).toMatchObject({ guestIp: 'fd79::2', gatewayIp: 'fd79::1', prefixLength: 64 });
    expect(net.addresses).toHaveLength(1);
  });

  it('ranges of one set, each with a subnet and a gateway of its own', async () => {
    const few = (net: string) => ({ rangeStart: `${net}::a`, rangeEnd: `${net}::b`, gateway: `${net}::1` });
    const set = ['fd79', 'fd7a'].map((net) => ({ subnet: `${net}::/64`, ...few(net) }));
    await write(bridgeWith({ ranges: [set], routes: [{ dst: '::/0' }] }), tap);
    await expectGatewayOfTheRange(lab, 'fd79::a fd79::b fd7a::a fd7a::b'.split(' '), ['fd79::1', 'fd7a::1']);
  });

  it('stays as it is through open, setup, teardown and removeNetwork', async () => {
    // Which native would have to refuse, did they ask for anything.
    const zeroes = { vlan: 0, vlanTrunk: [], ipMasqBackend: '', ipMasq: false };
    await write({ ...bridgeWith({ subnet: '10.9.0.0/24' }), ...zeroes }, tap);
    const manager = await lab.open({ conflist: path });
    await manager.setup('vm-1');
    await manager.teardown('vm-1');
    await manager.removeNetwork();
    expect(await canonicalDump()).toMatch(/^file \/etc\/cni\/mine\.conflist /m);
    await lab.open({ conflist: path });
  });

  it.each(['0.3.0', '0.3.1'])(
    'of CNI %s, which has no CHECK: check and repair do the rest',
    async (version) => {
      await writeIn(version, bridgeWith({ subnet: '10.9.0.0/24', routes: [{ dst: '0.0.0.0/0' }] }), tap);
      const manager = await lab.open({ conflist: path });
      const { netnsPath } = await manager.setup('vm-1');
      const before = await canonicalDump();
      expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
      await runIn(netnsPath, 'ip', 'route', 'delete', 'default');
      expect(await manager.check('vm-1')).toMatchObject({ ok: false, differences: [{ subject: 'route' }] });
      expect(await manager.repair('vm-1')).toMatchObject({ ok: true, repaired: [{ subject: 'route' }] });
      await expectUnchanged(before);
    },
  );

  it('that has changed since: an attachment is removed as it was made', async () => {
    await write(bridgeWith({ subnet: '10.9.0.0/24' }), tap);
    const first = await lab.open({ conflist: path, shutdown: 'leave' });
    for (const vmId of ['vm-0', 'vm-1']) await first.setup(vmId);
    await first.close();
    await write({ ...bridgeWith({ subnet: '10.10.0.0/24' }), bridge: 'mine1' }, tap);
    const second = await lab.open({ conflist: path });
    await second.teardown('vm-1');
    await untilHostLinks('vulcan-net mine vm-0 eth0');
    expect(await readdir(`${dataDir}/mine`)).toContain('10.9.0.2');
    expect(await readdir(`${dataDir}/mine`)).not.toContain('10.9.0.3');
  });
});

/** Takes the ranges' addresses one after another: two of each. */
async function expectGatewayOfTheRange(
  lab: ContractLab,
  ips: readonly string[],
  gateways: readonly [string, string],
): Promise<void> {
  const manager = await lab.open({ conflist: path });
  const [family, route] = gateways[0].includes(':') ? ['-6', '::/0'] : ['-4', '0.0.0.0/0'];
  for (const [index, ip] of ips.entries()) {
    const gatewayIp = gateways[index < 2 ? 0 : 1];
    const net = await manager.setup(`vm-${index}`);
    expect(net).toMatchObject({ guestIp: ip, gatewayIp, routes: [{ destination: route }] });
    expect(await runIn(net.netnsPath, 'ip', family, 'route', 'show', 'default')).toContain(
      `via ${gatewayIp} dev eth0`,
    );
    expect(await manager.check(net.vmId)).toEqual({ ok: true, differences: [] });
  }
  expect((await manager.list()).map(({ config }) => config?.gatewayIp).sort()).toEqual(
    [...gateways, ...gateways].sort(),
  );
}

describeBackends(
  'a conflist of the user with IPv4 ranges of several gateways, of which the bridge plugin puts one on a bridge:',
  (lab) => {
    it('each guest goes by that of its range, or of the address that it asked for', async () => {
      const few = (net: string) => ({
        rangeStart: `${net}.10`,
        rangeEnd: `${net}.11`,
        gateway: `${net}.254`,
      });
      const set = ['10.9.0', '10.10.0'].map((net) => ({ subnet: `${net}.0/24`, ...few(net) }));
      await write(bridgeWith({ ranges: [set], routes: [{ dst: '0.0.0.0/0' }] }), tap);
      const ips = ['10.9.0.10', '10.9.0.11', '10.10.0.10', '10.10.0.11'];
      await expectGatewayOfTheRange(lab, ips, ['10.9.0.254', '10.10.0.254']);
      const manager = await lab.open({ conflist: path });
      await manager.teardown('vm-2');
      const before = await canonicalDump();
      const net = await manager.setup('vm-9', { address: '10.10.0.10' });
      expect(net).toMatchObject({ guestIp: '10.10.0.10', gatewayIp: '10.10.0.254' });
      await manager.teardown('vm-9');
      await expectUnchanged(before);
    });
  },
  ['native'],
);

describeBackends(
  'a chain of the user with other plugins:',
  (lab) => {
    it('point to point, without a bridge, behind the same firewall and guard', async () => {
      const ranges = [[{ subnet: '10.9.0.0/24' }], [{ subnet: 'fd79::/64' }]];
      const routes = [{ dst: '0.0.0.0/0' }, { dst: '::/0' }];
      await write({ type: 'ptp', ipam: { type: 'host-local', ranges, routes, dataDir } }, tap);
      const manager = await lab.open({ conflist: path });
      const before = await canonicalDump();
      const [other, net] = await Promise.all([manager.setup('vm-0'), manager.setup('vm-1')]);
      const server = traffic.Background.start(await standIn(other), 'tcp-server', '::', '8080');
      const link = (await hostLinks()).find(({ ifalias }) => ifalias === 'vulcan-net mine vm-1 eth0');
      const { ifname = '' } = link ?? {};
      expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
      expect((await manager.verify()).findings.map(({ id }) => id)).not.toContain('guard.missing');
      await ip('link', 'set', ifname, 'group', '0');
      expect(await manager.check('vm-1')).toMatchObject({ differences: [{ subject: 'link' }] });
      expect(await manager.repair('vm-1')).toMatchObject({ ok: true, repaired: [{ subject: 'link' }] });
      const guest = await standIn(net);
      for (const gateway of ['10.9.0.1', 'fd79::1']) {
        expect(await traffic.ping(guest, gateway)).toBe(true);
        expect(await traffic.isDropped(guest, gateway, 8080)).toBe(true);
      }
      await until('the server to start', () => server.lines.includes('ready'));
      expect(await traffic.reach(guest, other.guestIp, 8080)).toBe(net.guestIp);
      await server.stop();
      await runIn(guest, 'ip', 'address', 'add', '10.9.0.77/32', 'dev', 'eth0');
      await runIn(guest, 'ip', '-6', 'address', 'add', 'fd79::77/128', 'dev', 'eth0', 'nodad');
      for (const [gateway, liar] of [
        ['10.9.0.1', '10.9.0.77'],
        ['fd79::1', 'fd79::77'],
      ]) {
        const ping = `ping -c 1 -w 1 -I ${liar} ${gateway}`.split(' ');
        expect((await outcomeOf('nsenter', [`--net=${guest}`, '--', ...ping])).exitCode).toBe(1);
      }
      const guarded = await nft('list', 'chain', 'inet', 'vulcan_guard', 'guard');
      expect(Number(/packets (\d+) bytes/.exec(guarded)?.[1])).toBeGreaterThan(1);
      for (const vmId of ['vm-0', 'vm-1']) await manager.teardown(vmId);
      await expectUnchanged(before);
    });

    it('point to point, which takes no MAC, whatever it says that it can', async () => {
      const ipam = { type: 'host-local', subnet: '10.9.0.0/24', dataDir };
      await write({ type: 'ptp', capabilities: { mac: true }, ipam }, tap);
      const manager = await lab.open({ conflist: path });
      const setup = manager.setup('vm-1', { mac: '02:00:00:00:00:77' });
      await expectRefusal(setup, 'ERR_OPTION_INVALID', /instead of 02:00:00:00:00:77: ptp takes no MAC$/, {
        ...{ step: 'result', rolledBack: true },
      });
    });

    it('without a link on the host, where nothing could look at what VMs send: refused, unless that is not asked for', async () => {
      const device = {
        type: 'host-device',
        device: 'd0',
        ipam: { type: 'host-local', subnet: '10.9.0.0/24', dataDir },
      };
      await write(device, tap);
      const addDevice = () => ip('link', 'add', 'd0', 'type', 'veth', 'peer', 'name', 'd1');
      await addDevice();
      const manager = await lab.open({ conflist: path });
      await expectRefusal(
        manager.setup('vm-1'),
        'ERR_OPTION_INVALID',
        "do without both by antiSpoofing: false and hostAccess: 'all'",
        { step: 'result', rolledBack: true },
      );
      const open = await lab.open({ conflist: path, antiSpoofing: false, hostAccess: 'all' });
      expect(await open.setup('vm-1')).toMatchObject({ guestIp: '10.9.0.3' });
      expect(await open.check('vm-1')).toEqual({ ok: true, differences: [] });
      const anothers = `${dataDir}/mine/10.9.0.77`;
      await writeFile(anothers, 'web\r\neth0');
      await utimes(anothers, 0, 0);
      expect(await open.gc({ keep: ['vm-1'] })).toEqual({ removed: [], failed: [] });
      await rm(anothers);
    });

    it('routes with a table and a metric of their own, which repair does not put where others go', async (context) => {
      requires(context, 'upstream-plugins');
      const routes = [{ dst: '0.0.0.0/0' }, { dst: '10.1.0.0/16', priority: 50 }];
      await write(bridgeWith({ subnet: '10.9.0.0/24', routes }), tap);
      const manager = await lab.open({ conflist: path, pluginDirs: [upstreamPluginDir] });
      const { netnsPath } = await manager.setup('vm-1');
      expect(await runIn(netnsPath, 'ip', 'route', 'show', '10.1.0.0/16')).toContain('metric 50');
      expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
      for (const dst of ['default', '10.1.0.0/16']) await runIn(netnsPath, 'ip', 'route', 'delete', dst);
      const { repaired, failed } = await manager.repair('vm-1');
      expect(repaired).toContainEqual({
        vmId: 'vm-1',
        subject: 'route',
        message: 'eth0 has no route to 0.0.0.0/0 by 10.9.0.1',
      });
      const message = 'eth0 has no route to 10.1.0.0/16 by 10.9.0.1, which has what only plugins give it';
      expect(failed).toContainEqual({ vmId: 'vm-1', subject: 'route', message, error: null });
      expect(await runIn(netnsPath, 'ip', 'route', 'show', '10.1.0.0/16')).toBe('');
    });

    it('of which only the last takes addresses: one that was asked for and not given is an error, which leaves nothing', async () => {
      const last = { ...tap, capabilities: { ips: true } };
      await write(bridgeWith({ subnet: '10.9.0.0/24' }), last);
      const manager = await lab.open({ conflist: path });
      await manager.setup('vm-0');
      const before = await canonicalDump();
      await expectRefusal(
        manager.setup('vm-1', { address: '10.9.0.77' }),
        'ERR_OPTION_INVALID',
        /instead of 10\.9\.0\.77: give the plugin that has the "ipam" "capabilities": \{ "ips": true \}/,
        { step: 'result', rolledBack: true },
      );
      await expectUnchanged(before);
      await manager.teardown('vm-0');
      await write({ ...bridgeWith({ subnet: '10.9.0.0/24' }), capabilities: { ips: true } }, tap);
      const able = await lab.open({ conflist: path });
      expect(await able.setup('vm-1', { address: '10.9.0.77' })).toMatchObject({ guestIp: '10.9.0.77' });
    });

    it.each([
      ['a gateway that is none of the subnet', { gateway: '10.8.0.1' }],
      ['a range from the first address to the last', { rangeStart: '10.9.0.0', rangeEnd: '10.9.0.255' }],
      ['a gateway that is written as IPv6', { gateway: '::ffff:10.9.0.1' }],
    ])('%s', async (_title, rules) => {
      await write(bridgeWith({ subnet: '10.9.0.0/24', ...rules }), tap);
      const manager = await lab.open({ conflist: path });
      await manager.setup('vm-0');
      const before = await canonicalDump();
      await manager.setup('vm-1');
      await manager.teardown('vm-1');
      await expectUnchanged(before);
    });

    it('static addresses: one that is asked for has the prefix of theirs', async () => {
      const chain = (ipam: object) =>
        write({ ...bridgeWith({}), ipam: { type: 'static', ...ipam }, capabilities: { ips: true } }, tap);
      await chain({});
      const unable = await lab.open({ conflist: path });
      const says = /prefix of address 10\.9\.0\.77 is not known.*"addresses"/;
      await expectRefusal(unable.setup('vm-1', { address: '10.9.0.77' }), 'ERR_OPTION_INVALID', says, {
        step: 'arguments',
      });
      await chain({ addresses: [{ address: '10.9.0.2/24' }] });
      const manager = await lab.open({ conflist: path });
      expect(await manager.setup('vm-1', { address: '10.9.0.77' })).toMatchObject({
        addresses: [{ ip: '10.9.0.77', prefixLength: 24 }],
      });
      const { findings } = await manager.verify();
      expect(findings.map(({ id }) => id)).toContain('masquerade.subnets');
    });

    it('one more between bridge and tc-redirect-tap', async () => {
      await write(bridgeWith({ subnet: '10.9.0.0/24' }), { type: 'tuning', mtu: 1300 }, tap);
      const manager = await lab.open({ conflist: path });
      await manager.setup('vm-0');
      const before = await canonicalDump();
      expect(await manager.setup('vm-1')).toMatchObject({ mtu: 1300, guestIp: '10.9.0.3' });
      await manager.teardown('vm-1');
      await expectUnchanged(before);
    });
  },
  ['cni'],
);
