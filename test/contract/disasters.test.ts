import { readdir, rm } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import type { NetworkManager } from '../../lib/network-manager.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { until } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip, nft } from '../support/run.ts';
import { Vmms } from '../support/vmm.ts';
import { describeBackends, describeLayouts } from './fixture.ts';
import { hostLinks, linksOf, vmRoutes } from './oracles.ts';

const vmms = new Vmms();
afterEach(() => vmms.end());

async function deleteLinksOf(...vmIds: readonly string[]): Promise<void> {
  for (const { ifname, ifalias = '' } of await hostLinks()) {
    if (vmIds.some((vmId) => ifalias.includes(` ${vmId} `))) await ip('link', 'delete', ifname);
  }
}

async function expectWhole(manager: NetworkManager, ...vmIds: readonly string[]): Promise<void> {
  for (const vmId of vmIds) expect(await manager.check(vmId)).toEqual({ ok: true, differences: [] });
}

describeLayouts('the ruleset flushed, all records deleted, and links, too', (lab) => {
  const strike = async () => {
    await nft('flush', 'ruleset');
    const records = `${lab.stateDir}/results`;
    for (const name of await readdir(records)) await rm(`${records}/${name}`);
    await deleteLinksOf('vm-2', 'vm-3');
  };

  it.each(['open', 'repair'] as const)(
    'is put right by %s: who has a link stays, the rest goes',
    async (verb) => {
      const first = await lab.open({ shutdown: 'leave' });
      const before = await canonicalDump();
      const kept = await first.setup('vm-1');
      const one = await canonicalDump();
      const cut = await first.setup('vm-2');
      await first.setup('vm-3');
      await vmms.start(kept.netnsPath);
      await vmms.start(cut.netnsPath);
      await strike();
      const second = verb === 'open' ? await lab.open({ shutdown: 'leave' }) : first;
      if (verb === 'repair') {
        const { failed } = await second.repair();
        expect(failed.map(({ vmId, error }) => [vmId, error])).toEqual(
          ['vm-2', 'vm-3'].map((vmId) => [vmId, expect.objectContaining({ code: 'ERR_ATTACHMENT_LOST' })]),
        );
        await second.gc({ keep: ['vm-1'] });
      }
      expect((await second.list()).map(({ vmId, state }) => [vmId, state])).toEqual([['vm-1', 'complete']]);
      await expectWhole(second, 'vm-1');
      await expectUnchanged(one);
      for (const vmId of ['vm-2', 'vm-3']) await second.setup(vmId);
      await expectWhole(second, 'vm-1', 'vm-2', 'vm-3');
      for (const vmId of ['vm-1', 'vm-2', 'vm-3']) await second.teardown(vmId);
      await vmms.end();
      await expectUnchanged(before);
    },
  );
});

describeBackends(
  'all bridges of a network, removed while a pool refills',
  (lab) => {
    it('are back with the next repair, and so is the pool; nothing is left of the network in the end', async () => {
      const options = { layout: 'bridges', subnet: '10.168.0.0/27', portsPerBridge: 2 } as const;
      const before = await canonicalDump();
      const manager = await lab.open({ ...options, pool: { min: 4, max: 6 } });
      await manager.warmUp();
      for (const vmId of ['vm-1', 'vm-2', 'vm-3']) await manager.setup(vmId);
      for (const { ifname, linkinfo } of await linksOf(null)) {
        if (linkinfo?.info_kind === 'bridge') await ip('link', 'delete', ifname);
      }
      await until('a refill', async () => manager.stats().pools[0]?.building === 0);
      expect((await manager.repair()).failed).toEqual([]);
      await expectWhole(manager, 'vm-1', 'vm-2', 'vm-3');
      await until('the pool', () =>
        manager.warmUp().then(
          () => true,
          () => false,
        ),
      );
      const vmIds = ['vm-1', 'vm-2', 'vm-3', 'vm-4', 'vm-5', 'vm-6', 'vm-7', 'vm-8', 'vm-9'];
      for (const vmId of vmIds.slice(3)) await manager.setup(vmId);
      await expectWhole(manager, ...vmIds);
      for (const vmId of vmIds) await manager.teardown(vmId);
      await manager.removeNetwork();
      await expectUnchanged(before);
    });
  },
  ['native'],
);

describeBackends(
  'the bridge of a routed network, which has the gateway, removed',
  (lab) => {
    it.each([
      ['with a pool', { min: 2, max: 2 }],
      ['without one', undefined],
    ] as const)(
      '%s: a set-up makes it again, and repair gives VMs from before their way back',
      async (_name, pool) => {
        const before = await canonicalDump();
        const manager = await lab.open({ layout: 'routed', ...(pool && { pool }) });
        if (pool !== undefined) await manager.warmUp();
        await manager.setup('vm-1');
        await ip('link', 'delete', 'fcbr0');
        await manager.setup('vm-2');
        await expectWhole(manager, 'vm-2');
        expect((await manager.check('vm-1')).ok).toBe(false);
        expect((await manager.repair()).failed).toEqual([]);
        await expectWhole(manager, 'vm-1', 'vm-2');
        for (const vmId of ['vm-1', 'vm-2']) await manager.teardown(vmId);
        await manager.removeNetwork();
        await expectUnchanged(before);
      },
    );
  },
  ['native'],
);

describeBackends(
  'a routed network that is full',
  (lab) => {
    it('says so, takes a slot for a VM, and gives what comes free to the next', async () => {
      const options = { layout: 'routed', subnet: '10.168.0.0/29', isolated: true } as const;
      const manager = await lab.open({ ...options, pool: { min: 2, max: 2 } });
      await manager.warmUp();
      const before = (await vmRoutes()).length;
      expect(before).toBe(2);
      const vmIds = ['vm-1', 'vm-2', 'vm-3', 'vm-4', 'vm-5'];
      const nets = [];
      for (const vmId of vmIds) nets.push(await manager.setup(vmId));
      expect(new Set(nets.map(({ guestIp }) => guestIp)).size).toBe(5);
      expect((await vmRoutes()).map(({ dst }) => dst).sort()).toEqual(
        nets.map(({ guestIp }) => guestIp).sort(),
      );
      await expectRefusal(manager.setup('vm-6'), 'ERR_ADDRESSES_EXHAUSTED', '10.168.0');
      await expectWhole(manager, ...vmIds);
      await manager.teardown('vm-3');
      const next = await manager.setup('vm-6');
      expect(next.guestIp).toBe(nets[2]?.guestIp);
      await expectWhole(manager, 'vm-6');
    });

    it('gives the last address to a VM, whatever slots are being built meanwhile', async () => {
      const options = { layout: 'routed', subnet: '10.168.0.0/29', shutdown: 'teardown' } as const;
      for (let round = 0; round < 20; round += 1) {
        const manager = await lab.open({ ...options, pool: { min: 2, max: 2 } });
        await manager.warmUp();
        const ips = new Set<string>();
        for (let vm = 1; vm <= 5; vm += 1) ips.add((await manager.setup(`vm-${vm}`)).guestIp);
        expect(ips.size).toBe(5);
        await manager.close();
      }
    });
  },
  ['native'],
);

describeBackends(
  'two managers that lay out one network differently',
  (lab) => {
    it.each([
      ['bridge', 'routed'],
      ['routed', 'bridge'],
      ['bridge', 'bridges'],
      ['bridges', 'routed'],
    ] as const)('%s, then %s: the second is told, until the network is removed', async (one, other) => {
      const first = await lab.open({ layout: one });
      await first.setup('vm-1');
      const before = await canonicalDump();
      await expectRefusal(
        lab.open({ layout: other }),
        'ERR_BRIDGE_CONFLICT',
        new RegExp(`the layout ${one}, bridge fcbr0, .*, not the layout ${other}, `),
      );
      await expectUnchanged(before);
      await expectWhole(first, 'vm-1');
      await first.teardown('vm-1');
      await first.removeNetwork();
      const second = await lab.open({ layout: other });
      await second.setup('vm-2');
      await expectWhole(second, 'vm-2');
    });
  },
  ['native'],
);
