import { rm } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { ip } from '../support/run.ts';
import { standIn } from '../support/stand-in.ts';
import { ping } from '../support/traffic.ts';
import { Vmms } from '../support/vmm.ts';
import { describeLayouts } from './fixture.ts';

/** A bridge that is down has disabled all of its ports, which looks like a cut. */

const vmms = new Vmms();
afterEach(() => vmms.end());

const isWhole = { ok: true, differences: [] };
const down = () => ip('link', 'set', 'fcbr0', 'down');

describeLayouts('a VM whose bridge is down, and whose namespace has lost its name', (lab) => {
  const lost = [
    ['nothing else', async () => {}],
    ['its record', () => rm(`${lab.stateDir}/results/fcnet-vm-1-eth0`)],
  ] as const;

  it.each(lost)(
    'and %s, is no dead one while it is in use: gc leaves it, and repair has it whole',
    async (_title, lose) => {
      const manager = await lab.open();
      const net = await manager.setup('vm-1');
      await vmms.start(net.netnsPath);
      await ip('netns', 'delete', 'vulcan-vm-1');
      await lose();
      await down();
      expect(await manager.gc({ keep: ['vm-1'] })).toEqual({ removed: [], failed: [] });
      expect((await manager.repair()).failed).toEqual([]);
      expect(await manager.check('vm-1')).toEqual(isWhole);
      expect(await ping(await standIn(net), net.gatewayIp ?? '')).toBe(true);
    },
  );

  it('is removed by gc unless `keep` names it', async () => {
    const before = await canonicalDump();
    const manager = await lab.open();
    const { netnsPath } = await manager.setup('vm-1');
    await vmms.start(netnsPath);
    await ip('netns', 'delete', 'vulcan-vm-1');
    await down();
    expect((await manager.gc({ keep: [] })).removed).toMatchObject([{ vmId: 'vm-1' }]);
    await vmms.end();
    await manager.removeNetwork();
    await expectUnchanged(before);
  });
});
