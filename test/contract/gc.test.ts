import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { addNamespace } from '../support/lab.ts';
import { wrapperDir } from '../support/plugin-wrappers.ts';
import { ip } from '../support/run.ts';
import { debianPluginDir } from '../support/tools.mjs';
import { Vmms } from '../support/vmm.ts';
import { describeBackends, describeLayouts } from './fixture.ts';

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

  it('releases an address that a host-local was about to give away when it was killed', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    const before = await canonicalDump();
    await writeFile('/run/cni/networks/fcnet/10.168.0.77', '');
    expect(await manager.gc({ keep: ['vm-1'] })).toEqual({ removed: [], failed: [] });
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

const conflist = '/etc/cni/mine.conflist';
const told = '/run/told';

/** A bridge plugin of CNI 1.1.0, which Debian's is not: it keeps what GC tells it, and undoes nothing for vm-3. */
const bridge = `#!/bin/sh
[ "$CNI_COMMAND" != GC ] || exec cat >${told}
[ "$CNI_COMMAND $CNI_CONTAINERID" != "DEL vm-3" ] || exit 7
sed 's/"cniVersion":"1.1.0"/"cniVersion":"1.0.0"/g' | ${debianPluginDir}/bridge
`;

describeBackends(
  'gc of a chain of CNI 1.1.0',
  (lab) => {
    const vmms = new Vmms();
    afterEach(async () => {
      await vmms.end();
      await rm(wrapperDir, { recursive: true, force: true });
    });

    it('tells plugins of all that has its record: also of what it restored, and of what it could not remove', async () => {
      const ipam = { type: 'host-local', subnet: '10.9.0.0/24', dataDir: '/run/cni/networks' };
      const plugins = [
        { type: 'bridge', bridge: 'mine0', isGateway: true, ipam },
        { type: 'tc-redirect-tap' },
      ];
      await writeFile(conflist, JSON.stringify({ cniVersion: '1.1.0', name: 'mine', plugins }));
      await mkdir(wrapperDir, { recursive: true });
      await writeFile(`${wrapperDir}/bridge`, bridge, { mode: 0o755 });
      const manager = await lab.open({
        conflist,
        pluginDirs: [wrapperDir, debianPluginDir],
        shutdown: 'leave',
      });
      const { netnsPath } = await manager.setup('vm-1');
      for (const vmId of ['vm-2', 'vm-3', 'vm-4']) await manager.setup(vmId);
      await vmms.start(netnsPath);
      await rm(`${lab.stateDir}/results/mine-vm-1-eth0`);
      expect(await manager.gc({ keep: ['vm-1', 'vm-2'] })).toMatchObject({
        removed: ['vm-4'],
        failed: [{ containerId: 'vm-3' }],
      });
      const valid: { containerID: string }[] = JSON.parse(await readFile(told, 'utf8'))[
        'cni.dev/valid-attachments'
      ];
      expect(valid.map(({ containerID }) => containerID).sort()).toEqual(['vm-1', 'vm-2', 'vm-3']);
    });
  },
  ['cni'],
);
