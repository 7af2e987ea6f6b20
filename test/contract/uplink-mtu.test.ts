import { rm, writeFile } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import type { NetworkManager } from '../../lib/network-manager.ts';
import { ip, runIn } from '../support/run.ts';
import { Vmms } from '../support/vmm.ts';
import { describeBackends, describeLayouts } from './fixture.ts';
import { hostLinks, linksOf } from './oracles.ts';

const netns = '/var/run/netns/vulcan-vm-1';
const healthy = { ok: true, differences: [] };

const vmms = new Vmms();
afterEach(() => vmms.end());

async function addUplink(name: string, mtu: number): Promise<void> {
  await ip('link', 'add', name, 'mtu', `${mtu}`, 'type', 'bridge');
  await ip('link', 'set', name, 'up');
  await ip('route', 'replace', 'default', 'dev', name);
}

/** Of the host's end, and of what is inside. */
async function mtusOf(): Promise<readonly number[]> {
  const inside = (await linksOf(netns)).filter(({ ifname }) => ifname !== 'lo');
  return [...(await hostLinks()), ...inside].map(({ mtu }) => mtu);
}

async function expectLeftAlone(manager: NetworkManager, mtu: number): Promise<void> {
  expect(await manager.check('vm-1')).toEqual(healthy);
  expect(await manager.repair()).toEqual({ ok: true, repaired: [], failed: [] });
  expect(await mtusOf()).toEqual([mtu, mtu, mtu]);
}

describeLayouts('a VM whose uplink got another MTU since', (lab) => {
  it.each([
    [1500, 1420],
    [1420, 1500],
  ])('has the one of its setup: %i, not %i', async (before, after) => {
    await addUplink('up0', before);
    const first = await lab.open({ shutdown: 'leave' });
    expect((await first.setup('vm-1')).mtu).toBe(before);
    await first.close();
    await addUplink('up1', after);
    const second = await lab.open();
    await expectLeftAlone(second, before);
    await runIn(netns, 'ip', 'link', 'set', 'tap0', 'mtu', '1300');
    expect((await second.check('vm-1')).differences).toMatchObject([{ subject: 'mtu' }]);
    expect((await second.repair('vm-1')).ok).toBe(true);
    await expectLeftAlone(second, before);
  });

  it('keeps it also where its record is made again', async () => {
    await addUplink('up0', 1500);
    const first = await lab.open({ shutdown: 'leave' });
    const net = await first.setup('vm-1');
    await vmms.start(net.netnsPath);
    await first.close();
    await addUplink('up1', 1420);
    await rm(`${lab.stateDir}/results/fcnet-vm-1-eth0`);
    const second = await lab.open();
    expect(second.recovery.restored).toEqual(['vm-1']);
    const { differences } = await second.check('vm-1');
    expect(differences.filter(({ subject }) => subject === 'mtu')).toEqual([]);
    await second.repair();
    expect(await mtusOf()).toEqual([1500, 1500, 1500]);
  });
});

describeBackends(
  'a VM of a conflist without an MTU, whose uplink got another since',
  (lab) => {
    const conflist = '/etc/cni/own.conflist';

    it('has the one of its link', async () => {
      const ipam = { type: 'host-local', subnet: '10.9.0.0/24', routes: [{ dst: '0.0.0.0/0' }] };
      const plugins = [
        { type: 'bridge', bridge: 'own0', isGateway: true, ipam },
        { type: 'tc-redirect-tap' },
      ];
      await writeFile(conflist, JSON.stringify({ cniVersion: '1.0.0', name: 'own', plugins }));
      await addUplink('up0', 1500);
      const first = await lab.open({ conflist, shutdown: 'leave' });
      await first.setup('vm-1');
      await addUplink('up1', 1420);
      const second = await lab.open({ conflist });
      await expectLeftAlone(second, 1500);
      await runIn(netns, 'ip', 'link', 'set', 'tap0', 'mtu', '1300');
      expect((await second.repair()).ok).toBe(true);
      await expectLeftAlone(second, 1500);
    });

    it('is given 1500 where it is the one that was generated', async () => {
      const confDir = '/etc/cni';
      await (await lab.open({ confDir })).close();
      await addUplink('up0', 1420);
      const manager = await lab.open({ conflist: `${confDir}/fcnet.conflist` });
      expect((await manager.setup('vm-1')).mtu).toBe(1500);
      await expectLeftAlone(manager, 1500);
    });
  },
  ['native'],
);
