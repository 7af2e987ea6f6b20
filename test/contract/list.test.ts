import { writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { until } from '../support/lab.ts';
import { ip } from '../support/run.ts';
import { describeBackends } from './fixture.ts';

describeBackends('list', (lab) => {
  it('has every attachment of the network with its NetworkConfig, whoever made it', async () => {
    const [first, second] = [await lab.open(), await lab.open()];
    const nets = [await first.setup('vm-1'), await second.setup('vm-2', { containerId: 'other-id' })];
    const before = await canonicalDump();
    const listed = await first.list();
    const byId = [...listed].sort((a, b) => `${a.vmId}`.localeCompare(`${b.vmId}`));
    expect(byId).toEqual(
      nets.map((net) => ({
        ...{ vmId: net.vmId, network: 'fcnet', containerId: net.containerId, ifName: 'eth0' },
        ...{ netnsPath: net.netnsPath, state: 'complete', alive: true, config: net },
      })),
    );
    expect(await second.list()).toEqual(listed);
    await expectUnchanged(before);
  });

  it('does not have those of other networks', async () => {
    const red = await lab.open();
    const blue = await lab.open({ network: 'blue', bridge: 'blue0', subnet: '10.9.0.0/24' });
    await red.setup('vm-1');
    await blue.setup('vm-2');
    expect((await red.list()).map(({ vmId }) => vmId)).toEqual(['vm-1']);
    expect((await blue.list()).map(({ vmId }) => vmId)).toEqual(['vm-2']);
  });

  it('says which VMs have lost their namespace', async () => {
    const manager = await lab.open();
    const net = await manager.setup('vm-1');
    await ip('netns', 'delete', 'vulcan-vm-1');
    // As long as its link is there, it may live.
    await until('the link to go', async () => (await manager.list()).every(({ state }) => state === 'dead'));
    expect(await manager.list()).toEqual([
      expect.objectContaining({ vmId: 'vm-1', alive: false, config: net }),
    ]);
  });

  it('is empty before the first setup, and goes past a file that is no record', async () => {
    const manager = await lab.open();
    expect(await manager.list()).toEqual([]);
    await manager.setup('vm-1');
    await writeFile(`${lab.stateDir}/results/fcnet-vm-0-eth0`, 'not a record');
    expect((await manager.list()).map(({ vmId }) => vmId)).toEqual(['vm-1']);
  });
});
