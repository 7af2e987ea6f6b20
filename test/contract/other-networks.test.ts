import { expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { holdNamespace } from '../support/holder.ts';
import { expectRefusal } from '../support/refusal.ts';
import { run } from '../support/run.ts';
import { describeBackends } from './fixture.ts';

const blue = { network: 'blue', bridge: 'blue0', subnet: '10.9.0.0/24' } as const;
const isWhole = { ok: true, differences: [] };

describeBackends('a VM of another network', (lab) => {
  it('is refused to a setup, which says whose it is, and left by a teardown', async () => {
    const [manager, other] = [await lab.open(), await lab.open(blue)];
    await manager.setup('vm-1');
    const before = await canonicalDump();
    await expectRefusal(other.setup('vm-1'), 'ERR_ATTACHMENT_EXISTS', 'vm-1 already has the network fcnet');
    await other.teardown('vm-1');
    await other.teardown('vm-1', { wait: true });
    await expectUnchanged(before);
    expect(await manager.check('vm-1')).toEqual(isWhole);
  });

  it('is left by a teardown, and refused to a setup, where its namespace has lost its name', async () => {
    const [manager, other] = [await lab.open(), await lab.open(blue)];
    const { netnsPath } = await manager.setup('vm-1');
    await using _ = await holdNamespace('vulcan-vm-1');
    await run('umount', [netnsPath]);
    await run('rm', [netnsPath]);
    await other.teardown('vm-1');
    await expectRefusal(other.setup('vm-1'), 'ERR_ATTACHMENT_EXISTS', 'vm-1 already has the network fcnet');
    expect(await manager.repair('vm-1')).toMatchObject({ ok: true });
    expect(await manager.check('vm-1')).toEqual(isWhole);
  });

  it('is left by the close of whoever had the VM before', async () => {
    const [first, second, other] = [await lab.open(), await lab.open(), await lab.open(blue)];
    await first.setup('vm-1');
    await second.teardown('vm-1', { wait: true });
    await other.setup('vm-1');
    await first.close();
    expect(await other.check('vm-1')).toEqual(isWhole);
  });

  it('is left by teardown and gc of a network that had the VM before its namespace went', async () => {
    const [manager, other] = [await lab.open(), await lab.open(blue)];
    const { netnsPath } = await manager.setup('vm-1');
    await manager.setup('vm-2');
    for (const vmId of ['vm-1', 'vm-2']) await run('ip', ['netns', 'delete', `vulcan-${vmId}`]);
    const links = async () => (await run('ip', ['-o', 'link', 'show', 'master', 'fcbr0'])).trim();
    await expect.poll(links, { timeout: 30_000 }).toBe('');
    for (const vmId of ['vm-1', 'vm-2']) await other.setup(vmId);
    expect(await manager.list()).toMatchObject([{ state: 'dead' }, { state: 'dead' }]);
    await manager.teardown('vm-1');
    expect(await manager.gc({ keep: [] })).toMatchObject({ removed: ['vm-2'], failed: [] });
    expect(await manager.list()).toEqual([]);
    for (const vmId of ['vm-1', 'vm-2']) expect(await other.check(vmId)).toEqual(isWhole);
    expect((await other.list()).map((each) => each.netnsPath)).toContain(netnsPath);
  });
});

describeBackends('an id of an attachment', (lab) => {
  it('is none of a VM: a teardown of it leaves the attachment', async () => {
    const manager = await lab.open();
    await manager.setup('vm-x', { containerId: 'vm-y' });
    const before = await canonicalDump();
    await manager.teardown('vm-y');
    await expectUnchanged(before);
    expect(await manager.check('vm-x')).toEqual(isWhole);
  });
});

describeBackends('a network of VMs whose records are somewhere else', (lab) => {
  it('is not removed', async () => {
    const [manager, other] = [await lab.open(), await lab.open({ stateDir: '/run/vulcan-net/elsewhere' })];
    const { guestIp } = await other.setup('vm-1');
    const before = await canonicalDump();
    await expectRefusal(
      manager.removeNetwork(),
      'ERR_NETWORK_IN_USE',
      `vm-1 (which has the address ${guestIp}, and no record in ${lab.stateDir})`,
    );
    await expectUnchanged(before);
    await other.teardown('vm-1');
    await manager.removeNetwork();
  });
});
