import { readdir, rm, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { ip } from '../support/run.ts';
import { describeBackends } from './fixture.ts';

const nothing = { removed: [], restored: [], failed: [] };
const store = '/run/cni/networks/fcnet';

describeBackends('a setup under way in another state directory', (lab) => {
  it('is left by open and by gc', async () => {
    const stateDir = '/run/elsewhere';
    const other = await lab.open({ stateDir, shutdown: 'leave' });
    await other.setup('vm-1');
    // As it is before its last two steps.
    const [link = ''] = await readdir('/sys/class/net/fcbr0/brif');
    await ip('link', 'set', link, 'down');
    await rm(`${stateDir}/results/fcnet-vm-1-eth0`);
    const before = await canonicalDump();
    const manager = await lab.open();
    expect(manager.recovery).toEqual(nothing);
    expect(await manager.gc({ keep: [] })).toEqual({ removed: [], failed: [] });
    await expectUnchanged(before);
    await other.gc({ keep: [] });
  });
});

describeBackends('a killed setup that has left a lock’s file, and an address', (lab) => {
  it.each(['check', 'repair'] as const)('is found by open, and removed, also after a %s', async (verb) => {
    const first = await lab.open();
    await writeFile(`${lab.stateDir}/locks/vm-1`, '');
    await writeFile(`${store}/10.168.0.9`, 'vm-1\r\neth0');
    if (verb === 'repair') expect((await first.repair()).ok).toBe(false);
    else await expect(first.check('vm-1')).rejects.toMatchObject({ code: 'ERR_ATTACHMENT_NOT_FOUND' });
    await first.close();
    const second = await lab.open();
    expect(second.recovery).toEqual({ ...nothing, removed: ['vm-1'] });
    expect(await readdir(store)).not.toContain('10.168.0.9');
  });
});
