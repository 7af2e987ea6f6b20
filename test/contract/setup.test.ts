import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { listElements } from '../support/firewall.ts';
import { until } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { describeBackends } from './fixture.ts';
import { addressesOf, defaultRoutes, hostLinks, linkOf, redirectOf } from './oracles.ts';

describeBackends('setup', (lab) => {
  it('gives a VM what its NetworkConfig says', async () => {
    const manager = await lab.open({ dns: { nameservers: ['10.168.0.1'], search: ['example'] } });
    const net = await manager.setup('vm-1');
    const eth0 = await linkOf(net.netnsPath, 'eth0');
    expect(net).toEqual({
      origin: 'cold',
      ...{ vmId: 'vm-1', network: 'fcnet', backend: lab.backend, containerId: 'vm-1' },
      ...{ ifName: 'eth0', tapName: 'tap0', netnsPath: '/var/run/netns/vulcan-vm-1' },
      ...{ mac: eth0.address, mtu: eth0.mtu },
      addresses: [{ family: 4, ip: '10.168.0.2', prefixLength: 24, gateway: '10.168.0.1' }],
      ...{ guestIp: '10.168.0.2', gatewayIp: '10.168.0.1', prefixLength: 24 },
      routes: [{ destination: '0.0.0.0/0', gateway: null }],
      dns: { nameservers: ['10.168.0.1'], domain: null, search: ['example'], options: [] },
      result: expect.objectContaining({ cniVersion: '1.0.0' }),
    });
    expect(await addressesOf(net.netnsPath, 'eth0')).toEqual(['10.168.0.2/24']);
    expect(await defaultRoutes(net.netnsPath)).toMatchObject([{ gateway: '10.168.0.1', dev: 'eth0' }]);
    expect(net.result).toMatchObject({
      interfaces: expect.arrayContaining([
        { name: 'eth0', mac: net.mac, sandbox: net.netnsPath },
        { name: 'tap0', sandbox: net.netnsPath },
        { name: 'tap0', mac: net.mac, sandbox: 'vm-1' },
      ]),
      ips: expect.arrayContaining([{ interface: 2, address: '10.168.0.2/24', gateway: '10.168.0.1' }]),
    });
  });

  it('leaves a TAP that is up, ours, and joined to the link both ways', async () => {
    const { netnsPath, mtu } = await (await lab.open()).setup('vm-1');
    const tap = await linkOf(netnsPath, 'tap0');
    expect(tap).toMatchObject({ mtu, linkinfo: { info_kind: 'tun', info_data: { type: 'tap' } } });
    expect(tap.linkinfo?.info_data).toMatchObject({ user: 'root', group: 'root', persist: true });
    expect(tap.flags).toContain('UP');
    expect((await linkOf(netnsPath, 'eth0')).flags).toContain('UP');
    expect(await redirectOf(netnsPath, 'eth0')).toBe('tap0');
    expect(await redirectOf(netnsPath, 'tap0')).toBe('eth0');
  });

  it('leaves a port of the bridge that says whose it is, an address file and a record', async () => {
    await (await lab.open()).setup('vm-1');
    // The kernel sees its carrier a little later.
    const portState = async () => (await hostLinks())[0]?.linkinfo?.info_slave_data?.['state'];
    await until('the port', async () => (await portState()) === 'forwarding');
    const [link, ...others] = await hostLinks();
    expect(others).toEqual([]);
    expect(link).toMatchObject({ ifalias: 'vulcan-net fcnet vm-1 eth0', master: 'fcbr0' });
    expect(link?.linkinfo).toMatchObject({ info_kind: 'veth', info_slave_data: { state: 'forwarding' } });
    expect(await addressesOf(null, 'fcbr0')).toEqual(['10.168.0.1/24']);
    expect(await readFile('/run/cni/networks/fcnet/10.168.0.2', 'utf8')).toBe('vm-1\r\neth0');
    const record = await readFile(`${lab.stateDir}/results/fcnet-vm-1-eth0`, 'utf8');
    expect(JSON.parse(record)).toMatchObject({
      ...{ kind: 'cniCacheV1', containerId: 'vm-1', networkName: 'fcnet', ifName: 'eth0' },
      netns: '/var/run/netns/vulcan-vm-1',
    });
  });

  it('takes MAC, owner, TAP name and containerId', async () => {
    const manager = await lab.open({ ifName: 'net0', mtu: 1400 });
    const net = await manager.setup('vm-1', {
      ...{ mac: '02:00:00:00:AB:01', tapOwner: { uid: 1234, gid: 4321 } },
      ...{ tapName: 'vmtap7', containerId: 'container-7' },
    });
    expect(net).toMatchObject({
      ...{ vmId: 'vm-1', containerId: 'container-7', ifName: 'net0', tapName: 'vmtap7' },
      ...{ mac: '02:00:00:00:ab:01', mtu: 1400, netnsPath: '/var/run/netns/vulcan-vm-1' },
    });
    expect(await linkOf(net.netnsPath, 'net0')).toMatchObject({ address: net.mac, mtu: 1400 });
    const tap = await linkOf(net.netnsPath, 'vmtap7');
    expect(tap).toMatchObject({ mtu: 1400, linkinfo: { info_data: { user: 1234, group: 4321 } } });
    expect(await readFile('/run/cni/networks/fcnet/10.168.0.2', 'utf8')).toBe('container-7\r\nnet0');
    expect((await hostLinks()).map(({ ifalias }) => ifalias)).toEqual(['vulcan-net fcnet container-7 net0']);
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
    await manager.teardown('vm-1');
    expect(await manager.list()).toEqual([]);
  });

  it('takes a subnet, a gateway, a bridge and routes', async () => {
    const manager = await lab.open({
      ...{ network: 'blue', bridge: 'blue0', subnet: '10.9.0.0/29', gateway: '10.9.0.6' },
      routes: [{ destination: '0.0.0.0/0' }, { destination: '10.10.0.0/16', gateway: '10.9.0.5' }],
    });
    const net = await manager.setup('vm-1');
    expect(net).toMatchObject({
      ...{ network: 'blue', guestIp: '10.9.0.1', gatewayIp: '10.9.0.6', prefixLength: 29 },
      routes: [
        { destination: '0.0.0.0/0', gateway: null },
        { destination: '10.10.0.0/16', gateway: '10.9.0.5' },
      ],
    });
    expect(await addressesOf(null, 'blue0')).toEqual(['10.9.0.6/29']);
    expect((await listElements())['subnets4']).toEqual(['10.9.0.0/29 (blue)']);
  });

  it('gives an IPv6 network IPv6 alone', async () => {
    const manager = await lab.open({ subnet: 'fd78:1::/64' });
    const net = await manager.setup('vm-1');
    expect(net).toMatchObject({
      addresses: [{ family: 6, ip: 'fd78:1::2', prefixLength: 64, gateway: 'fd78:1::1' }],
      ...{ guestIp: 'fd78:1::2', gatewayIp: 'fd78:1::1', prefixLength: 64 },
      routes: [{ destination: '::/0', gateway: null }],
    });
    expect(await addressesOf(net.netnsPath, 'eth0')).toEqual(['fd78:1::2/64']);
  });

  it('refuses a VM that has its network, whoever asks, and touches nothing', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    const other = await lab.open();
    const before = await canonicalDump();
    for (const asked of [manager, other]) {
      await expectRefusal(asked.setup('vm-1'), 'ERR_ATTACHMENT_EXISTS', /tear it down first/, {
        ...{ operation: 'setup', vmId: 'vm-1', network: 'fcnet' },
      });
    }
    await expectUnchanged(before);
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
  });

  it('sets up many VMs side by side, each with an address of its own', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    const vmIds = Array.from({ length: 16 }, (_value, index) => `vm-${index}`);
    const nets = await Promise.all(vmIds.map((vmId) => manager.setup(vmId)));
    expect(new Set(nets.map(({ guestIp }) => guestIp)).size).toBe(16);
    expect(new Set(nets.map(({ mac }) => mac)).size).toBe(16);
    for (const { netnsPath, guestIp } of nets) {
      expect(await addressesOf(netnsPath, 'eth0')).toEqual([`${guestIp}/24`]);
    }
    await Promise.all(vmIds.map((vmId) => manager.teardown(vmId)));
    await expectUnchanged(before);
  });

  it('lets one of two set-ups of the same VM win, and refuses the other', async () => {
    const [first, second] = [await lab.open(), await lab.open()];
    const outcomes = await Promise.allSettled([first.setup('vm-1'), second.setup('vm-1')]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const refused = outcomes.find((outcome) => outcome.status === 'rejected');
    expect(refused?.reason).toMatchObject({ code: 'ERR_ATTACHMENT_EXISTS' });
    expect(await first.check('vm-1')).toEqual({ ok: true, differences: [] });
  });

  it('works right after a teardown of the same VM, again and again', async () => {
    const manager = await lab.open();
    for (let round = 0; round < 5; round++) {
      await manager.setup('vm-1');
      expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
      await manager.teardown('vm-1');
    }
  });
});
