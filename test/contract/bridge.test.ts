import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, expect, it } from 'vitest';
import type { NetworkManager } from '../../lib/network-manager.ts';
import type { DifferenceSubject, NetworkConfig } from '../../lib/types.ts';
import { canonicalDump, expectUnchanged, withoutLinkLocal } from '../support/dump.ts';
import { until } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip, nft } from '../support/run.ts';
import { standIn } from '../support/stand-in.ts';
import { ping } from '../support/traffic.ts';
import { describeBackends, describeLayouts } from './fixture.ts';
import { addressesOf, linkOf, linksOf, untilHostLinks } from './oracles.ts';
import { openWarm, untilReady } from './pool-state.ts';

const isWhole = { ok: true, differences: [] };
const nothingToDo = { ok: true, repaired: [], failed: [] };
const forwarding = '/proc/sys/net/ipv4/ip_forward';
afterAll(() => writeFile(forwarding, '1'));

const deleteBridge = (name = 'fcbr0') => ip('link', 'delete', name);

/** What somebody did to the network, and what it is called. */
const damages: readonly (readonly [string, () => Promise<unknown>, DifferenceSubject])[] = [
  ['is down', () => ip('link', 'set', 'fcbr0', 'down'), 'bridge'],
  ['has lost its addresses', () => ip('address', 'flush', 'dev', 'fcbr0'), 'bridge'],
  ['is down, without addresses', () => downAndFlush('fcbr0'), 'bridge'],
  ['has been deleted', () => deleteBridge(), 'bridge'],
  ['is of a host that forwards no more', () => writeFile(forwarding, '0'), 'forwarding'],
];

async function downAndFlush(name: string): Promise<void> {
  await ip('link', 'set', name, 'down');
  await ip('address', 'flush', 'dev', name);
}

async function expectSame(before: string): Promise<void> {
  await expectUnchanged(before, { seen: withoutLinkLocal });
  expect(await readFile(forwarding, 'utf8')).toBe('1\n');
}

const isWarm = (manager: NetworkManager): Promise<boolean> =>
  manager.warmUp().then(
    () => true,
    () => false,
  );

/** Last of all: the VM is none any more. */
async function expectTraffic(net: NetworkConfig): Promise<void> {
  expect(await ping(await standIn(net), net.gatewayIp ?? '')).toBe(true);
}

async function expectWhole(manager: NetworkManager, net: NetworkConfig): Promise<void> {
  expect(await manager.check(net.vmId)).toEqual(isWhole);
  await expectTraffic(net);
}

describeLayouts('the bridge of a network', (lab) => {
  it.each(damages)('that %s: check names it, and repair puts it back', async (_title, damage, subject) => {
    const manager = await lab.open();
    const net = await manager.setup('vm-1');
    await manager.setup('vm-2');
    const before = await canonicalDump();
    await damage();
    const { differences } = await manager.check('vm-1');
    expect(differences.map((each) => each.subject)).toContain(subject);
    const { repaired, failed } = await manager.repair('vm-1');
    expect(failed).toEqual([]);
    expect(repaired).toContainEqual({ vmId: 'vm-1', subject, message: expect.any(String) });
    expect(await manager.check('vm-1')).toEqual(isWhole);
    expect((await manager.repair()).failed).toEqual([]);
    expect(await manager.repair()).toEqual(nothingToDo);
    await expectSame(before);
    await expectTraffic(net);
  });

  it.each(damages)('that %s: repair puts it back where there is no VM', async (_title, damage, subject) => {
    const manager = await lab.open();
    const before = await canonicalDump();
    await damage();
    const { repaired, failed } = await manager.repair();
    expect(failed).toEqual([]);
    expect(repaired).toContainEqual({ vmId: null, subject, message: expect.any(String) });
    expect(await manager.repair()).toEqual(nothingToDo);
    await expectSame(before);
    await expectWhole(manager, await manager.setup('vm-1'));
  });

  it('that has been deleted is made again by set-ups, however many come at once', async () => {
    const empty = await canonicalDump();
    const manager = await lab.open();
    const before = await canonicalDump();
    await deleteBridge();
    const vmIds = ['vm-1', 'vm-2', 'vm-3', 'vm-4'];
    const nets = await Promise.all(vmIds.map((vmId) => manager.setup(vmId)));
    for (const { vmId } of nets) expect(await manager.check(vmId)).toEqual(isWhole);
    for (const net of nets) await expectTraffic(net);
    for (const vmId of vmIds) await manager.teardown(vmId);
    await expectUnchanged(before);
    await manager.removeNetwork();
    await expectUnchanged(empty);
  });

  it('that has been deleted is made again by a set-up, and what VMs from before have lost by repair', async () => {
    const manager = await lab.open();
    const net = await manager.setup('vm-1');
    await deleteBridge();
    const next = await manager.setup('vm-2');
    expect(await manager.check('vm-2')).toEqual(isWhole);
    expect((await manager.check('vm-1')).ok).toBe(false);
    expect((await manager.repair()).failed).toEqual([]);
    for (const each of [net, next]) expect(await manager.check(each.vmId)).toEqual(isWhole);
    for (const each of [net, next]) await expectTraffic(each);
  });

  it('that has been deleted, and the ruleset flushed: a set-up has both again', async () => {
    const manager = await lab.open();
    await nft('flush', 'ruleset');
    await deleteBridge();
    const net = await manager.setup('vm-1');
    expect(await manager.repair()).toEqual(nothingToDo);
    await expectWhole(manager, net);
  });

  it('that another manager has removed with its network stays away: its guests would have no firewall', async () => {
    const empty = await canonicalDump();
    const other = await lab.open({ network: 'other', bridge: 'other0', subnet: '10.169.0.0/24' });
    await other.setup('vm-0');
    const before = await canonicalDump();
    const [manager, remover] = [await lab.open(), await lab.open()];
    await remover.removeNetwork();
    await expectUnchanged(before);
    await expectRefusal(
      manager.setup('vm-1'),
      'ERR_NETWORK_REMOVED',
      'network fcnet was removed: open a new',
      {
        ...{ operation: 'setup', step: 'bridge', network: 'fcnet', rolledBack: true },
      },
    );
    expect(await manager.repair()).toMatchObject({
      ok: false,
      failed: [{ vmId: null, subject: 'bridge', message: expect.stringContaining('was removed') }],
    });
    await expectUnchanged(before);
    await expectWhole(await lab.open(), await manager.setup('vm-1'));
    await manager.teardown('vm-1');
    await manager.removeNetwork();
    await other.teardown('vm-0');
    await other.removeNetwork();
    await expectUnchanged(empty);
  });

  if (lab.backend === 'cni') return;

  it('that has been deleted: no slot of it is given to a VM, and the pool is filled again', async () => {
    const manager = await openWarm(lab, { pool: { min: 2, max: 2 } });
    await deleteBridge();
    const net = await manager.setup('vm-1');
    expect(await manager.check('vm-1')).toEqual(isWhole);
    await untilReady(manager, 2);
    const next = await manager.setup('vm-2');
    expect(next.origin).toBe('warm');
    expect(await manager.check('vm-2')).toEqual(isWhole);
    for (const each of [net, next]) await expectTraffic(each);
  });

  it('that has been deleted while a pool is filled: it is filled on without a set-up', async () => {
    const manager = await lab.open({ pool: { min: 40, max: 40 } });
    await deleteBridge();
    // The slot that is being built may be beyond the step at which it looks for the bridge.
    await until('the pool', () => isWarm(manager));
    const net = await manager.setup('vm-1');
    await expectWhole(manager, net);
  });
});

describeBackends('the bridge of an IPv6 network', (lab) => {
  it.each(damages.filter(([, , subject]) => subject === 'bridge'))(
    'that %s: check names it, and repair puts it back',
    async (_title, damage, subject) => {
      const manager = await lab.open({ subnet: 'fd00:7::/64' });
      await manager.setup('vm-1');
      expect(await manager.check('vm-1')).toEqual(isWhole);
      await damage();
      const { differences } = await manager.check('vm-1');
      expect(differences.map((each) => each.subject)).toContain(subject);
      expect((await manager.repair()).failed).toEqual([]);
      expect(await manager.check('vm-1')).toEqual(isWhole);
      expect(await addressesOf(null, 'fcbr0')).toEqual(['fd00:7::1/64']);
    },
  );
});

describeBackends('a bridge of the user’s own', (lab) => {
  const options = { bridge: 'br0', subnet: '10.168.0.0/24' } as const;
  const mac = '02:aa:bb:cc:dd:ee';

  const addOwn = async () => {
    await ip('link', 'add', 'br0', 'address', mac, 'type', 'bridge');
    await ip('link', 'set', 'br0', 'mtu', '1400', 'up');
    await ip('link', 'add', 'up0', 'master', 'br0', 'type', 'veth', 'peer', 'name', 'up1');
    await ip('link', 'set', 'up0', 'up');
  };
  const describeOwn = async () => {
    const { address, mtu, linkinfo } = await linkOf(null, 'br0');
    const ports = (await linksOf(null)).filter(({ master }) => master === 'br0');
    const ipv6 = await readFile('/proc/sys/net/ipv6/conf/br0/disable_ipv6', 'utf8');
    return { address, mtu, delay: linkinfo?.info_data?.['forward_delay'], ipv6, ports: ports.length };
  };

  it('keeps all that is its own when it is repaired', async () => {
    await addOwn();
    const manager = await lab.open({ ...options, mtu: 1300 });
    await manager.setup('vm-1');
    const before = await describeOwn();
    expect(before).toMatchObject({ address: mac, mtu: 1400, ipv6: '0\n', ports: 2 });
    await downAndFlush('br0');
    const { differences } = await manager.check('vm-1');
    expect(differences.map(({ message }) => message).slice(0, 2)).toEqual([
      'br0 is down',
      'br0 has no address 10.168.0.1/24',
    ]);
    expect((await manager.repair()).failed).toEqual([]);
    expect(await manager.check('vm-1')).toEqual(isWhole);
    expect(await describeOwn()).toEqual(before);
  });

  it('is not made again by a set-up once it has been deleted, but by whoever made it', async () => {
    await addOwn();
    const manager = await lab.open(options);
    await manager.setup('vm-1');
    await deleteBridge('br0');
    await expectRefusal(manager.setup('vm-2'), 'ERR_NETWORK_REMOVED', 'make it again, and call repair()', {
      ...{ operation: 'setup', step: 'bridge', network: 'fcnet', rolledBack: true },
    });
    expect((await linksOf(null)).filter(({ ifname }) => ifname === 'br0')).toEqual([]);
    await ip('link', 'delete', 'up0');
    await addOwn();
    expect((await manager.repair()).failed).toEqual([]);
    expect(await describeOwn()).toMatchObject({ address: mac, mtu: 1400, ports: 2 });
    for (const vmId of ['vm-1', await manager.setup('vm-2').then((net) => net.vmId)]) {
      expect(await manager.check(vmId)).toEqual(isWhole);
      await manager.teardown(vmId);
    }
    await untilHostLinks();
    await manager.removeNetwork();
    expect(await describeOwn()).toMatchObject({ address: mac, ports: 1 });
  });

  it('that is gone gives its place to one of the network’s own, when repair is asked for', async () => {
    const empty = await canonicalDump();
    await addOwn();
    const manager = await lab.open(options);
    await deleteBridge('br0');
    await ip('link', 'delete', 'up0');
    const { ok, repaired } = await manager.repair();
    expect({ ok, repaired }).toMatchObject({ ok: true, repaired: [{ vmId: null, subject: 'bridge' }] });
    const { result, vmId } = await manager.setup('vm-1');
    const { address } = await linkOf(null, 'br0');
    expect(address).not.toBe(mac);
    expect(result).toMatchObject({ interfaces: expect.arrayContaining([{ name: 'br0', mac: address }]) });
    expect(await manager.check(vmId)).toEqual(isWhole);
    await deleteBridge('br0');
    await expectWhole(manager, await manager.setup('vm-2'));
    for (const each of ['vm-1', 'vm-2']) await manager.teardown(each);
    await manager.removeNetwork();
    await expectUnchanged(empty);
  });
});

describeBackends(
  'a bridge that a chain of the user’s own makes',
  (lab) => {
    const list = {
      ...{ cniVersion: '1.0.0', name: 'own' },
      plugins: [
        {
          ...{ type: 'bridge', bridge: 'own0', isGateway: true },
          ipam: { type: 'host-local', dataDir: '/run/cni/networks', subnet: '10.168.0.0/24' },
        },
        { type: 'tc-redirect-tap' },
      ],
    };
    const changes = [
      ['is down', () => ip('link', 'set', 'own0', 'down')],
      ['has lost its addresses', () => ip('address', 'flush', 'dev', 'own0')],
      ['has been deleted', () => deleteBridge('own0')],
    ] as const;

    it.each(changes)('that %s: check names it, and repair puts it back', async (_title, damage) => {
      await writeFile('/etc/cni/own.conflist', JSON.stringify(list));
      const manager = await lab.open({ conflist: '/etc/cni/own.conflist' });
      const net = await manager.setup('vm-1');
      expect(await manager.check('vm-1')).toEqual(isWhole);
      const { address } = await linkOf(null, 'own0');
      await damage();
      const { differences } = await manager.check('vm-1');
      expect(differences.map(({ subject }) => subject)).toContain('bridge');
      expect((await manager.repair()).failed).toEqual([]);
      expect(await manager.check('vm-1')).toEqual(isWhole);
      expect((await linkOf(null, 'own0')).address).toBe(address);
      await expectTraffic(net);
    });

    it('that has been deleted is made again by a set-up, and goes with the network', async () => {
      await writeFile('/etc/cni/own.conflist', JSON.stringify(list));
      const manager = await lab.open({ conflist: '/etc/cni/own.conflist' });
      await manager.setup('vm-1');
      await manager.teardown('vm-1');
      const { address } = await linkOf(null, 'own0');
      await deleteBridge('own0');
      await expectWhole(manager, await manager.setup('vm-2'));
      expect((await linkOf(null, 'own0')).address).toBe(address);
      await manager.teardown('vm-2');
      await manager.removeNetwork();
      expect((await linksOf(null)).map(({ ifname }) => ifname)).not.toContain('own0');
    });
  },
  ['cni'],
);
