import { expect, it, onTestFinished } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip, nft } from '../support/run.ts';
import { describeBackends } from './fixture.ts';

describeBackends('addresses', (lab) => {
  it('that are all taken are an error of their own, and undone', async () => {
    const manager = await lab.open({ subnet: '10.168.0.0/29' });
    const vmIds = ['vm-1', 'vm-2', 'vm-3', 'vm-4', 'vm-5'];
    const [first] = await Promise.all(vmIds.map((vmId) => manager.setup(vmId)));
    const before = await canonicalDump();
    const { remedy } = await expectRefusal(manager.setup('vm-6'), 'ERR_ADDRESSES_EXHAUSTED', /address/, {
      ...{ operation: 'setup', vmId: 'vm-6', rolledBack: true },
    });
    expect(remedy).toContain('larger subnet');
    await expectUnchanged(before);
    await manager.teardown('vm-1');
    expect((await manager.setup('vm-6')).guestIp).toBe(first?.guestIp);
  });
});

describeBackends('a bridge', (lab) => {
  it.each([
    ['is another kind of link', () => ip('link', 'add', 'fcbr0', 'type', 'veth', 'peer', 'name', 'other')],
    [
      'has another address',
      async () => {
        await ip('link', 'add', 'fcbr0', 'type', 'bridge');
        await ip('address', 'add', '10.77.0.1/24', 'dev', 'fcbr0');
      },
    ],
  ])('that %s is refused, and left as it is', async (_title, make) => {
    await make();
    const before = await canonicalDump();
    await expectRefusal(lab.open(), 'ERR_BRIDGE_CONFLICT', 'fcbr0', { operation: 'open', step: 'bridge' });
    await expectUnchanged(before);
  });

  it('of another network is refused', async () => {
    await lab.open();
    const before = await canonicalDump();
    await expectRefusal(
      lab.open({ network: 'blue', subnet: '10.168.0.0/24' }),
      'ERR_BRIDGE_CONFLICT',
      'fcbr0',
      { operation: 'open', network: 'blue' },
    );
    await expectUnchanged(before);
  });
});

describeBackends('a subnet', (lab) => {
  it('of another network, or a part of it, is refused', async () => {
    await lab.open();
    const before = await canonicalDump();
    for (const subnet of ['10.168.0.0/24', '10.168.0.64/26', '10.168.0.0/16']) {
      const options = { network: 'blue', bridge: 'blue0', subnet };
      await expectRefusal(lab.open(options), 'ERR_SUBNET_CONFLICT', /10\.168\.0\./, {
        ...{ operation: 'open', network: 'blue' },
      });
      await expectUnchanged(before);
    }
  });

  it.each([
    ['the same', '10.168.0.0/24'],
    ['a part of it', '10.168.0.128/25'],
    ['more than it', '10.160.0.0/12'],
  ])('to which the host has a route already (%s) is refused', async (_title, destination) => {
    await ip('link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up1');
    await ip('link', 'set', 'up0', 'up');
    await ip('route', 'add', destination, 'dev', 'up0');
    await ip('route', 'add', 'default', 'dev', 'up0');
    const before = await canonicalDump();
    await expectRefusal(lab.open(), 'ERR_SUBNET_CONFLICT', `overlaps ${destination}`, {
      ...{ operation: 'open', network: 'fcnet', step: 'routes' },
    });
    await expectUnchanged(before);
    await lab.open({ subnet: '10.9.0.0/24' });
  });

  it.each([
    ['a guest', '10.168.0.2'],
    ['the gateway', '10.168.0.1'],
  ])('of which the host has itself what %s is to have is refused', async (who, address) => {
    await ip('addr', 'add', `${address}/32`, 'dev', 'lo');
    onTestFinished(() => ip('addr', 'del', `${address}/32`, 'dev', 'lo').then(() => {}));
    const before = await canonicalDump();
    const message = `${who} is to have ${address}, which this host has itself, on lo: remove it there`;
    await expectRefusal(lab.open(), 'ERR_SUBNET_CONFLICT', message, { operation: 'open', step: 'routes' });
    await expectUnchanged(before);
    const manager = await lab.open({
      gateway: '10.168.0.9',
      ranges: [{ start: '10.168.0.3', end: '10.168.0.8' }],
    });
    expect((await manager.setup('vm-1')).guestIp).toBe('10.168.0.3');
  });
});

describeBackends('routes that lead elsewhere only for some, or nowhere, or everywhere,', (lab) => {
  it('take no subnet, and the MTU is that of the way out that the host has for itself', async () => {
    for (const [name, mtu] of [
      ['up0', '1420'],
      ['up1', '1300'],
      ['up2', '9000'],
    ] as const) {
      await ip('link', 'add', name, 'mtu', mtu, 'type', 'veth', 'peer', 'name', `${name}-peer`);
      await ip('link', 'set', name, 'up');
    }
    onTestFinished(async () => {
      for (const table of ['100', '101']) await ip('route', 'flush', 'table', table);
    });
    for (const destination of ['default', '10.168.0.0/24']) {
      await ip('route', 'add', destination, 'dev', 'up2', 'table', '100');
      await ip('route', 'add', 'unreachable', destination, 'table', '101');
    }
    await ip('route', 'add', 'unreachable', '10.0.0.0/8');
    await ip('route', 'add', 'default', 'dev', 'up2', 'metric', '200');
    await ip('route', 'add', 'default', 'dev', 'up0', 'metric', '100');
    const mtuOf = async () => {
      const manager = await lab.open();
      const { mtu } = await manager.setup('vm-1');
      await manager.close();
      return mtu;
    };
    expect(await mtuOf()).toBe(1420);
    for (const half of ['0.0.0.0/1', '128.0.0.0/1']) await ip('route', 'add', half, 'dev', 'up1');
    expect(await mtuOf()).toBe(1300);
    await ip('route', 'del', '128.0.0.0/1');
    await expectRefusal(lab.open(), 'ERR_SUBNET_CONFLICT', 'overlaps 0.0.0.0/1');
  });
});

describeBackends('the firewall', (lab) => {
  it('whose table someone has made otherwise is refused, and left as it is', async () => {
    await nft('add table inet vulcan { comment "vulcan-net layout 5"; }');
    await nft('add set inet vulcan ipv6 { type ether_addr; }');
    const before = await canonicalDump();
    await expectRefusal(lab.open(), 'ERR_FIREWALL', 'set ipv6', { operation: 'open', step: 'firewall' });
    await expectUnchanged(before);
  });
});

describeBackends('a network in use', (lab) => {
  it('is not removed', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    const before = await canonicalDump();
    await expectRefusal(manager.removeNetwork(), 'ERR_NETWORK_IN_USE', 'fcnet is still used by vm-1', {
      ...{ operation: 'removeNetwork', network: 'fcnet' },
    });
    await expectUnchanged(before);
    await manager.teardown('vm-1');
    await manager.removeNetwork();
  });
});
