import { rm, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { addNamespace } from '../support/lab.ts';
import { ip } from '../support/run.ts';
import { describeLayouts } from './fixture.ts';

describeLayouts('gc', (lab) => {
  it('removes all but what is to be kept', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    const before = await canonicalDump();
    for (const vmId of ['vm-2', 'vm-3']) await manager.setup(vmId, { containerId: `id-of-${vmId}` });
    const { removed, failed } = await manager.gc({ keep: ['vm-1', 'vm-9'] });
    expect([...removed].sort()).toEqual(['id-of-vm-2', 'id-of-vm-3']);
    expect(failed).toEqual([]);
    await expectUnchanged(before);
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
    expect(await manager.gc({ keep: ['vm-1'] })).toEqual({ removed: [], failed: [] });
  });

  it('removes what others made, and VMs without a namespace', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    const other = await lab.open({ shutdown: 'leave' });
    await other.setup('vm-1');
    await other.setup('vm-2');
    await other.close();
    await ip('netns', 'delete', 'vulcan-vm-2');
    const { removed, failed } = await manager.gc({ keep: [] });
    expect([...removed].sort()).toEqual(['vm-1', 'vm-2']);
    expect(failed).toEqual([]);
    await expectUnchanged(before);
  });

  it('removes a namespace of ours that has no record', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    await manager.setup('vm-1');
    await rm(`${lab.stateDir}/results/fcnet-vm-1-eth0`);
    expect(await manager.gc({ keep: [] })).toEqual({ removed: ['vm-1'], failed: [] });
    await expectUnchanged(before);
  });

  it('has its turn while set-ups go on without a pause', async () => {
    const busy = await lab.open();
    const manager = await lab.open();
    const vmIds = ['vm-1', 'vm-2', 'vm-3', 'vm-4'];
    let over = false;
    const lanes = vmIds.map(async (vmId) => {
      while (!over) {
        await busy.setup(vmId);
        await busy.teardown(vmId);
      }
    });
    try {
      for (let turn = 0; turn < 3; turn++) expect((await manager.gc({ keep: vmIds })).failed).toEqual([]);
    } finally {
      over = true;
      await Promise.all(lanes);
    }
  });

  it('leaves other networks, foreign namespaces and files alone', async () => {
    const blue = await lab.open({ network: 'blue', bridge: 'blue0', subnet: '10.9.0.0/24' });
    const red = await lab.open();
    await blue.setup('vm-1');
    await addNamespace('vulcan-foreign');
    await addNamespace('someone');
    await writeFile(`${lab.stateDir}/results/someones-file`, 'not a record');
    const before = await canonicalDump();
    expect(await red.gc({ keep: [] })).toEqual({ removed: [], failed: [] });
    await expectUnchanged(before);
  });
});
