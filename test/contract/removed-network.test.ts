import { rm, writeFile } from 'node:fs/promises';
import { beforeEach, expect, it } from 'vitest';
import type { NetworkManager } from '../../lib/network-manager.ts';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import type { NetworkConfig } from '../../lib/types.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { native } from '../support/native.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip, nft } from '../support/run.ts';
import { type ContractLab, describeBackends, describeOtherLayouts } from './fixture.ts';
import { openWarm, untilReady } from './pool-state.ts';

/** A network on a bridge that stays when it is removed: its other managers know that it is gone from the firewall alone. */

const isWhole = { ok: true, differences: [] };
const generated = { bridge: 'br0', subnet: '10.168.0.0/24' } as const;
const ownPath = '/etc/cni/own.conflist';
const ownList = {
  ...{ cniVersion: '1.0.0', name: 'fcnet' },
  plugins: [
    {
      ...{ type: 'bridge', bridge: 'br0', isGateway: true },
      ipam: { type: 'host-local', dataDir: '/run/cni/networks', subnet: '10.168.0.0/24' },
    },
    { type: 'tc-redirect-tap' },
  ],
};

/** Keeps the firewall's table alive. */
async function openOther(lab: ContractLab): Promise<void> {
  await lab.open({ network: 'other', bridge: 'other0', subnet: '10.169.0.0/24', layout: 'bridge' });
}

/** From under a pool, which no manager does. */
async function removeByHand(): Promise<void> {
  await native.firewallRemove({ network: 'fcnet' });
  await rm('/etc/cni/conf.d/fcnet.conflist');
}

async function expectRemoved(manager: NetworkManager, vmId = 'vm-1'): Promise<void> {
  await expectRefusal(manager.setup(vmId), 'ERR_NETWORK_REMOVED', 'network fcnet was removed: open a new', {
    ...{ operation: 'setup', step: 'firewall', network: 'fcnet', rolledBack: true },
  });
}

async function expectGuarded(manager: NetworkManager, net: NetworkConfig): Promise<void> {
  expect(await manager.check(net.vmId)).toEqual(isWhole);
  expect(await nft('list', 'set', 'inet', 'vulcan', 'bridges')).toContain('"br0" comment "fcnet"');
}

describeBackends('a network on a bridge that stays, which another manager has removed', (lab) => {
  beforeEach(async () => {
    for (const name of ['br0', 'br1']) {
      await ip('link', 'add', name, 'type', 'bridge');
      await ip('link', 'set', name, 'up');
    }
  });

  const conflists: readonly (readonly [string, NetworkManagerOptions])[] = [
    ['generated', generated],
    ['the user’s own', { conflist: ownPath }],
  ];

  it.each(conflists)(
    'has no set-ups any more, until it is opened again (%s conflist)',
    async (_title, options) => {
      await writeFile(ownPath, JSON.stringify(ownList));
      await openOther(lab);
      const [manager, remover] = [await lab.open(options), await lab.open(options)];
      await remover.removeNetwork();
      const before = await canonicalDump();
      for (const vmId of ['vm-1', 'vm-2', 'vm-1']) await expectRemoved(manager, vmId);
      await expectUnchanged(before);
      await lab.open(options);
      await expectGuarded(manager, await manager.setup('vm-1'));
      await manager.teardown('vm-1');
      await manager.removeNetwork();
      const after = await canonicalDump();
      await expectRemoved(manager);
      await expectUnchanged(after);
    },
  );

  it('has none where a manager of the other backend has removed it, which shares no lock with them', async () => {
    await openOther(lab);
    const manager = await lab.open(generated);
    const remover = await lab.open({ ...generated, backend: lab.backend === 'cni' ? 'native' : 'cni' });
    await remover.removeNetwork();
    await expectRemoved(manager);
  });

  it('has none where it was the last, and the firewall went with it; nor does repair bring it back', async () => {
    const [manager, remover] = [await lab.open(generated), await lab.open(generated)];
    await remover.removeNetwork();
    const before = await canonicalDump();
    await expectRemoved(manager);
    expect(await manager.repair()).toMatchObject({
      ok: false,
      failed: [{ vmId: null, subject: 'bridge', message: expect.stringContaining('was removed') }],
    });
    await expectUnchanged(before);
  });

  it('has none where it was made again on another bridge: its guests there keep their firewall', async () => {
    await openOther(lab);
    const [manager, remover] = [await lab.open(generated), await lab.open(generated)];
    await remover.removeNetwork();
    const again = await lab.open({ ...generated, bridge: 'br1', subnet: '10.170.0.0/24' });
    const message = 'br0 is no longer in the firewall as one of network fcnet';
    await expectRefusal(manager.setup('vm-1'), 'ERR_NETWORK_REMOVED', message, { step: 'firewall' });
    const { vmId } = await again.setup('vm-1');
    expect(await again.check(vmId)).toEqual(isWhole);
  });

  it('is told from one whose elements somebody has deleted: a set-up puts those back', async () => {
    await openOther(lab);
    const manager = await lab.open(generated);
    for (const set of ['bridges', 'subnets4', 'masquerade4', 'gateways4']) {
      await nft('flush', 'set', 'inet', 'vulcan', set);
    }
    await expectGuarded(manager, await manager.setup('vm-1'));
  });

  if (lab.backend === 'cni') return;

  it('gets no slots of a pool', async () => {
    await openOther(lab);
    const [manager, remover] = [
      await lab.open({ ...generated, pool: { min: 0, max: 2 } }),
      await lab.open({ ...generated, stateDir: '/run/cni-2' }),
    ];
    await remover.removeNetwork();
    const before = await canonicalDump();
    for (const vmId of ['vm-1', 'vm-2', 'vm-3']) await expectRemoved(manager, vmId);
    expect(manager.stats().pools).toMatchObject([{ ready: 0 }]);
    await expectUnchanged(before);
  });

  it('gives no slot of a pool to a VM', async () => {
    await openOther(lab);
    const manager = await openWarm(lab, { ...generated, pool: { min: 2, max: 2 } });
    await untilReady(manager, 2);
    await removeByHand();
    const before = await canonicalDump();
    for (const vmId of ['vm-1', 'vm-2']) await expectRemoved(manager, vmId);
    expect(manager.stats().pools).toMatchObject([{ ready: 2 }]);
    await expectUnchanged(before);
    await lab.open({ ...generated, stateDir: '/run/cni-2' });
    const net = await manager.setup('vm-1');
    expect(net.origin).toBe('warm');
    await expectGuarded(manager, net);
  });
});

describeOtherLayouts(
  'a network of another layout on a bridge that stays, which another manager has removed',
  (lab) => {
    it('has no set-ups any more, warm or cold, until it is opened again', async () => {
      await ip('link', 'add', 'br0', 'type', 'bridge');
      await openOther(lab);
      const manager = await openWarm(lab, { ...generated, pool: { min: 1, max: 1 } });
      await removeByHand();
      await expectRemoved(manager);
      await expectRefusal(
        manager.setup('vm-2', { address: '10.168.0.9' }),
        'ERR_NETWORK_REMOVED',
        'was removed',
      );
      await lab.open({ ...generated, stateDir: '/run/cni-2' });
      expect(await manager.setup('vm-1')).toMatchObject({ origin: 'warm' });
      expect(await manager.check('vm-1')).toEqual(isWhole);
    });
  },
);
