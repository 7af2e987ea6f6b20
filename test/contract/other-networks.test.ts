import { readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import type { NetworkManager } from '../../lib/network-manager.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { holdNamespace } from '../support/holder.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip, run } from '../support/run.ts';
import { Vmms } from '../support/vmm.ts';
import { type ContractLab, describeBackends } from './fixture.ts';

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
    expect(await manager.gc({ keep: [] })).toMatchObject({ removed: [{ vmId: 'vm-2' }], failed: [] });
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

const store = '/run/cni/networks/fcnet';
const withPool = { backend: 'native', pool: { min: 1, max: 1 } } as const;

/** In the default directory of the other backend. */
const elsewhere = ({ stateDir }: ContractLab) => ({
  stateDir: stateDir === '/run/cni' ? '/var/lib/cni' : '/run/cni',
});

describeBackends('a network of VMs whose records are somewhere else', (lab) => {
  const stateDir = '/run/elsewhere';
  const vmms = new Vmms();
  afterEach(() => vmms.end());

  it('is not removed', async () => {
    const [manager, other] = [await lab.open(), await lab.open({ stateDir })];
    const { guestIp } = await other.setup('vm-1');
    const before = await canonicalDump();
    await expectRefusal(
      manager.removeNetwork(),
      'ERR_NETWORK_IN_USE',
      `vm-1 (which has the address ${guestIp}, and no record in ${lab.stateDir})`,
    );
    await expectUnchanged(before);
    await other.teardown('vm-1');
    await other.close();
    await rm(stateDir, { recursive: true });
    await manager.removeNetwork();
    expect((await readdir(store)).filter((name) => name.startsWith('.state-'))).toEqual([]);
  });

  it.each<readonly [lost: string, lose: (manager: NetworkManager) => Promise<unknown>]>([
    ['removed, and made again', (manager) => manager.removeNetwork().then(() => lab.open())],
    ['without its addresses', () => rm(store, { recursive: true })],
  ])('knows them once it was %s', async (_lost, lose) => {
    const [manager, other] = [await lab.open(), await lab.open({ stateDir })];
    await lose(manager);
    await other.setup('vm-1');
    const again = await lab.open();
    const before = await canonicalDump();
    expect(await again.gc({ keep: [] })).toEqual({ removed: [], failed: [] });
    await expectUnchanged(before);
    expect(await other.check('vm-1')).toEqual(isWhole);
    await other.teardown('vm-1');
    await other.close();
  });

  it('is not removed under a pool', async () => {
    const [manager, other] = [await lab.open(), await lab.open({ ...elsewhere(lab), ...withPool })];
    await other.warmUp();
    await expectRefusal(manager.removeNetwork(), 'ERR_NETWORK_IN_USE', 'the pool of another manager');
    await other.close();
    await manager.removeNetwork();
  });

  it.each([false, true])(
    'keeps them as they are, whatever else is done (in a default directory: %s)',
    async (isDefault) => {
      const other = await lab.open(isDefault ? elsewhere(lab) : { stateDir });
      await vmms.start((await other.setup('vm-1')).netnsPath);
      const manager = await lab.open({ shutdown: 'leave' });
      expect(manager.recovery).toEqual({ removed: [], restored: [], failed: [] });
      const before = await canonicalDump();
      expect(await manager.repair()).toEqual({ ok: true, repaired: [], failed: [] });
      expect(await manager.gc({ keep: [] })).toEqual({ removed: [], failed: [] });
      expect(await manager.list()).toEqual([]);
      await expectUnchanged(before);
      expect(await other.check('vm-1')).toEqual(isWhole);
    },
  );

  it('keeps the address of a container of another runtime while its link is there', async () => {
    const manager = await lab.open();
    const address = `${store}/10.168.0.77`;
    await writeFile(address, 'web\r\neth0');
    await utimes(address, 0, 0);
    await ip('link', 'add', 'vethdeadbeef', 'master', 'fcbr0', 'type', 'veth', 'peer', 'name', 'web0');
    expect(await manager.gc({ keep: [] })).toEqual({ removed: [], failed: [] });
    await ip('link', 'delete', 'vethdeadbeef');
    expect(await manager.gc({ keep: [] })).toMatchObject({ removed: [{ vmId: 'web' }], failed: [] });
  });
});
