import { expect, it } from 'vitest';
import type { NetworkManager } from '../../lib/network-manager.ts';
import { ip } from '../support/run.ts';
import { standIn } from '../support/stand-in.ts';
import { ping } from '../support/traffic.ts';
import { type ContractLab, describeBackends, describeLayouts, describeOtherLayouts } from './fixture.ts';
import { addressesOf, linkOf } from './oracles.ts';
import { openWarm, untilReady } from './pool-state.ts';

/** A set-up looks whether a bridge of the network's own is up; whether that has its address only where it is not. */

const isWhole = { ok: true, differences: [] };
const down = (name = 'fcbr0') => ip('link', 'set', name, 'down');
const isUp = async (name: string) => (await linkOf(null, name)).flags?.includes('UP');

/** What `verify` says of them. */
async function changedBridges(manager: NetworkManager): Promise<readonly string[]> {
  const { findings } = await manager.verify();
  return findings.flatMap(({ id, message }) => (id === 'bridge.changed' ? [message] : []));
}

describeLayouts('a set-up whose bridge is down', (lab) => {
  it.each([
    ['up', async () => {}],
    ['up, and gives it its address', () => ip('address', 'flush', 'dev', 'fcbr0')],
  ])('sets it %s', async (_title, further) => {
    const manager = await lab.open();
    const addresses = await addressesOf(null, 'fcbr0');
    await down();
    expect(await changedBridges(manager)).toContain('fcbr0 is down');
    await further();
    const nets = await Promise.all(['vm-1', 'vm-2'].map((vmId) => manager.setup(vmId)));
    expect(await addressesOf(null, 'fcbr0')).toEqual(addresses);
    for (const { vmId } of nets) expect(await manager.check(vmId)).toEqual(isWhole);
    for (const net of nets) expect(await ping(await standIn(net), net.gatewayIp ?? '')).toBe(true);
  });
});

function pooled(lab: ContractLab): void {
  it('gives no slot of it to a VM: its routes went with it', async () => {
    const manager = await openWarm(lab, { pool: { min: 2, max: 2 } });
    await down();
    const net = await manager.setup('vm-1');
    expect(await manager.check('vm-1')).toEqual(isWhole);
    expect(await ping(await standIn(net), net.gatewayIp ?? '')).toBe(true);
    await untilReady(manager, 2);
    expect(await manager.setup('vm-2')).toMatchObject({ origin: 'warm' });
    expect(await manager.check('vm-2')).toEqual(isWhole);
  });

  it('gives slots of one that is up again to VMs, with their routes', async () => {
    const manager = await openWarm(lab, { pool: { min: 2, max: 2 } });
    await down();
    await ip('link', 'set', 'fcbr0', 'up');
    const nets = await Promise.all(['vm-1', 'vm-2'].map((vmId) => manager.setup(vmId)));
    for (const net of nets) {
      expect(net.origin).toBe('warm');
      expect(await manager.check(net.vmId)).toEqual(isWhole);
      expect(await ping(await standIn(net), net.gatewayIp ?? '')).toBe(true);
    }
  });

  if (lab.layout !== 'bridges') return;

  it('keeps its slots where routes are refused for want of the gateway’s address', async () => {
    const manager = await openWarm(lab, { pool: { min: 2, max: 2 } });
    await ip('address', 'flush', 'dev', 'fcbr0');
    await expect(manager.setup('vm-1')).rejects.toMatchObject({ step: 'route', rolledBack: true });
    await ip('route', 'delete', 'unreachable', '10.168.0.0/24');
    expect(await changedBridges(manager)).toEqual([
      'fcbr0 has no address 10.168.0.1/32',
      "what no VM has of 10.168.0.0/24 leads to the host's default route",
    ]);
    expect(manager.stats().pools).toMatchObject([{ ready: 2 }]);
    await manager.repair();
    expect(await changedBridges(manager)).toEqual([]);
    expect(await manager.setup('vm-1')).toMatchObject({ origin: 'warm' });
    expect(await manager.check('vm-1')).toEqual(isWhole);
  });
}

describeBackends('a pool whose bridge is down', pooled, ['native']);
describeOtherLayouts('a pool whose bridge is down', pooled);

describeBackends(
  'a set-up whose bridge is the user’s own, and down',
  (lab) => {
    it('leaves that to its owner, or to repair', async () => {
      await ip('link', 'add', 'br0', 'type', 'bridge');
      const manager = await lab.open({ bridge: 'br0', subnet: '10.168.0.0/24' });
      await down('br0');
      await manager.setup('vm-1');
      expect(await isUp('br0')).toBe(false);
      expect((await manager.check('vm-1')).ok).toBe(false);
      expect((await manager.repair()).failed).toEqual([]);
      expect(await manager.check('vm-1')).toEqual(isWhole);
    });
  },
  ['native'],
);
