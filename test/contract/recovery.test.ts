import { readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import { untilAwaited } from '../support/awaited-lock.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { holdLock } from '../support/hold-lock.ts';
import { addNamespace, until } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip, nft, outcomeOf } from '../support/run.ts';
import { Vmms } from '../support/vmm.ts';
import { type ContractLab, describeBackends, describeLayouts } from './fixture.ts';
import { hostLinks, linkOf } from './oracles.ts';

const vmms = new Vmms();
afterEach(() => vmms.end());

const nothing = { removed: [], restored: [], failed: [] };

describeLayouts('open after a restart', (lab) => {
  /** A manager that ends without a word, as a process that is killed. */
  const dead = () => lab.open({ shutdown: 'leave' });
  const recordOf = (vmId: string) => `${lab.stateDir}/results/fcnet-${vmId}-eth0`;
  const lockOf = (vmId: string) => `${lab.stateDir}/locks/${vmId}`;

  it('adopts what is whole, and changes nothing', async () => {
    const first = await dead();
    const nets = [await first.setup('vm-1'), await first.setup('vm-2', { containerId: 'other-id' })];
    const before = await canonicalDump();
    const second = await lab.open();
    expect(second.recovery).toEqual(nothing);
    await expectUnchanged(before);
    const listed = await second.list();
    expect(listed.map(({ state }) => state)).toEqual(['complete', 'complete']);
    const byVm = listed.toSorted((a, b) => `${a.vmId}`.localeCompare(`${b.vmId}`));
    expect(byVm.map(({ config }) => config)).toEqual(nets);
    expect(await second.check('vm-1')).toEqual({ ok: true, differences: [] });
  });

  it('removes a namespace without a record that nobody lives in, with its address', async () => {
    const first = await dead();
    const before = await canonicalDump();
    await first.setup('vm-1');
    await rm(recordOf('vm-1'));
    const second = await lab.open();
    expect(second.recovery).toEqual({ ...nothing, removed: ['vm-1'] });
    await expectUnchanged(before);
    await second.setup('vm-1');
  });

  it.each([
    ['deleted', (path: string) => rm(path)],
    ['truncated', (path: string) => truncate(path, 100)],
    ['emptied', (path: string) => truncate(path, 0)],
  ])('writes the record of a VM in use again when it was %s', async (_title, damage) => {
    const first = await dead();
    const net = await first.setup('vm-1', { tapOwner: { uid: 12, gid: 34 } });
    await vmms.start(net.netnsPath);
    const before = await canonicalDump();
    await damage(recordOf('vm-1'));
    const second = await lab.open();
    expect(second.recovery).toEqual({ ...nothing, restored: ['vm-1'] });
    const [listed] = await second.list();
    expect(listed?.config).toMatchObject({
      ...{ vmId: 'vm-1', tapName: 'tap0', mac: net.mac, netnsPath: net.netnsPath, mtu: net.mtu },
      ...{ addresses: net.addresses, routes: net.routes, dns: net.dns, backend: net.backend },
    });
    expect(
      (await second.check('vm-1')).differences.filter(({ subject }) => !subject.startsWith('plugin')),
    ).toEqual([]);
    if (lab.backend === 'native') await expectUnchanged(before);
    await second.teardown('vm-1');
    await until('the link to go', async () => (await hostLinks()).length === 0);
  });

  it('knows a VM in use by its links when the whole state directory is gone', async () => {
    const first = await dead();
    const net = await first.setup('vm-1');
    await vmms.start(net.netnsPath);
    for (const name of await readdir(lab.stateDir)) await rm(`${lab.stateDir}/${name}`, { recursive: true });
    const second = await lab.open();
    expect(second.recovery).toEqual({ ...nothing, restored: ['vm-1'] });
    expect((await second.list()).map(({ state, config }) => [state, config?.guestIp])).toEqual([
      ['complete', net.guestIp],
    ]);
    await second.teardown('vm-1');
    expect(await readdir('/run/netns')).toEqual([]);
  });

  it('keeps a VM whose lock was removed, and claims its namespace again', async () => {
    const first = await dead();
    await first.setup('vm-1');
    const before = await canonicalDump();
    await rm(lockOf('vm-1'));
    const second = await lab.open();
    expect(second.recovery).toEqual({ ...nothing, restored: ['vm-1'] });
    await expectUnchanged(before);
  });

  it('removes what is left of a VM whose namespace is gone', async () => {
    const first = await dead();
    const before = await canonicalDump();
    await first.setup('vm-1');
    await ip('netns', 'delete', 'vulcan-vm-1');
    await until('the link to go', async () => (await hostLinks()).length === 0);
    expect((await first.list()).map(({ state }) => state)).toEqual(['dead']);
    const second = await lab.open();
    expect(second.recovery).toEqual({ ...nothing, removed: ['vm-1'] });
    await expectUnchanged(before);
  });

  it('removes records from before a reboot', async () => {
    const first = await dead();
    await first.setup('vm-1');
    const text = await readFile(recordOf('vm-1'), 'utf8');
    await first.teardown('vm-1', { wait: true });
    await until('the link to go', async () => (await hostLinks()).length === 0);
    await rm('/run/cni/networks', { recursive: true });
    await writeFile(recordOf('vm-1'), text);
    const second = await lab.open();
    expect(second.recovery).toEqual({ ...nothing, removed: ['vm-1'] });
    expect(await second.list()).toEqual([]);
    await second.setup('vm-1');
  });

  it('tells of a VM whose namespace lost its name, and never removes it; repair names it again', async () => {
    const first = await dead();
    const net = await first.setup('vm-1');
    const before = await canonicalDump();
    const { netns } = await vmms.start(net.netnsPath);
    await ip('netns', 'delete', 'vulcan-vm-1');
    const second = await lab.open();
    expect(second.recovery).toEqual(nothing);
    expect(await second.list()).toEqual([
      expect.objectContaining({ vmId: 'vm-1', state: 'detached', alive: true, config: net }),
    ]);
    expect((await second.check('vm-1')).differences).toContainEqual(
      expect.objectContaining({ subject: 'anchor' }),
    );
    const { failed, repaired } = await second.repair('vm-1');
    expect(failed).toEqual([]);
    expect(repaired.map(({ subject }) => subject)).toEqual(['anchor']);
    expect((await ip('netns', 'identify', netns.split('/')[2] ?? '')).trim()).toBe('vulcan-vm-1');
    await expectUnchanged(before);
    await second.teardown('vm-1');
  });

  it('gives a VM its name and its record again that has lost both, and never lets go of its address', async () => {
    const first = await dead();
    const net = await first.setup('vm-1');
    await vmms.start(net.netnsPath);
    await rm(recordOf('vm-1'));
    await ip('netns', 'delete', 'vulcan-vm-1');
    const second = await lab.open();
    expect(second.recovery).toEqual({ ...nothing, restored: ['vm-1'] });
    const [listed] = await second.list();
    expect(listed).toMatchObject({ state: 'complete', config: { guestIp: net.guestIp } });
    expect(await readFile(`/run/cni/networks/fcnet/${net.guestIp}`, 'utf8')).toBe('vm-1\r\neth0');
    await expectRefusal(second.setup('vm-1'), 'ERR_ATTACHMENT_EXISTS', /^vm-1 already has its network/);
    await second.teardown('vm-1');
  });

  it.each([
    ['lives on', true],
    ['has ended', false],
  ])('tears down a VM that has lost name and record and %s', async (_title, isAlive) => {
    const first = await dead();
    const before = await canonicalDump();
    const net = await first.setup('vm-1');
    if (isAlive) await vmms.start(net.netnsPath);
    await rm(recordOf('vm-1'));
    await ip('netns', 'delete', 'vulcan-vm-1');
    if (!isAlive) await until('the link to go', async () => (await hostLinks()).length === 0);
    await first.teardown('vm-1');
    await vmms.end();
    await expectUnchanged(before);
  });

  it('removes a record that cannot be read with all else of a VM that nobody uses', async () => {
    const first = await dead();
    const before = await canonicalDump();
    await first.setup('vm-1');
    await truncate(recordOf('vm-1'), 100);
    expect((await lab.open()).recovery).toEqual({ ...nothing, removed: ['vm-1'] });
    await expectUnchanged(before);
  });

  it('does the same where only the mount is gone and its file stays', async () => {
    const first = await dead();
    const net = await first.setup('vm-1');
    await vmms.start(net.netnsPath);
    await ip('netns', 'delete', 'vulcan-vm-1');
    await writeFile('/run/netns/vulcan-vm-1', '', { mode: 0 });
    const second = await lab.open();
    expect((await second.list()).map(({ state }) => state)).toEqual(['detached']);
    expect((await second.repair()).ok).toBe(true);
    expect((await second.list()).map(({ state }) => state)).toEqual(['complete']);
  });

  it('does not set up a VM anew that still lives without its name', async () => {
    const first = await dead();
    const net = await first.setup('vm-1');
    await vmms.start(net.netnsPath);
    await ip('netns', 'delete', 'vulcan-vm-1');
    const second = await lab.open();
    await expectRefusal(second.setup('vm-1'), 'ERR_ATTACHMENT_EXISTS', /^vm-1 already has its network/);
    expect((await second.list()).map(({ state }) => state)).toEqual(['complete']);
  });

  it('puts back the firewall that somebody flushed', async () => {
    const first = await dead();
    await first.setup('vm-1');
    const before = await canonicalDump();
    await nft('flush', 'ruleset');
    const second = await lab.open();
    await expectUnchanged(before);
    expect(await second.check('vm-1')).toEqual({ ok: true, differences: [] });
  });

  it('tells of a link that was deleted by hand, and leaves the rest to be torn down', async () => {
    const first = await dead();
    const before = await canonicalDump();
    await first.setup('vm-1');
    for (const { ifname } of await hostLinks()) await ip('link', 'delete', ifname);
    const second = await lab.open();
    expect(second.recovery).toEqual(nothing);
    expect((await second.check('vm-1')).ok).toBe(false);
    await second.teardown('vm-1');
    await expectUnchanged(before);
  });

  it('never touches what is foreign', async () => {
    await addNamespace('vulcan-foreign');
    await addNamespace('someone');
    const first = await dead();
    await first.setup('vm-1');
    await writeFile(`${lab.stateDir}/results/someones-file`, 'not a record');
    await writeFile('/run/cni/networks/fcnet/10.168.0.77', 'someone\r\neth0');
    await ip('link', 'add', 'vn0123456789abc', 'type', 'veth', 'peer', 'name', 'other');
    const before = await canonicalDump();
    expect((await lab.open()).recovery).toEqual(nothing);
    await expectUnchanged(before);
  });
});

// It takes as long as open waits at most, and no layout makes a difference to it.
describeBackends('open while a VM is in work', (lab) => {
  it('waits for whoever holds a VM’s lock, and leaves the VM alone for as long', async () => {
    const first = await lab.open({ shutdown: 'leave' });
    await first.setup('vm-1');
    await rm(`${lab.stateDir}/results/fcnet-vm-1-eth0`);
    const before = await canonicalDump();
    const release = await holdLock(`${lab.stateDir}/locks/vm-1`);
    const second = await lab.open();
    expect(second.recovery.failed).toEqual([
      { vmId: 'vm-1', error: expect.objectContaining({ code: 'ERR_LOCK_TIMEOUT' }) },
    ]);
    await expectUnchanged(before);
    expect(lab.logged).toContainEqual(expect.objectContaining({ level: 'warn' }));
    const third = lab.open();
    await release();
    expect((await third).recovery).toEqual({ ...nothing, removed: ['vm-1'] });
  });
});

/** An open that waits for a VM's lock, until it is let go on; the network's lock it has. */
async function openWaiting(lab: ContractLab, options: NetworkManagerOptions) {
  const release = await holdLock(`${lab.stateDir}/locks/vm-1`);
  await rm(`${lab.stateDir}/results/fcnet-vm-1-eth0`);
  const opening = lab.open({ shutdown: 'leave', ...options });
  const tryLock = () => outcomeOf('flock', ['--nonblock', `${lab.stateDir}/locks/.network-fcnet`, 'true']);
  await until('open to have the network’s lock', async () => (await tryLock()).exitCode !== 0);
  return { opening, release };
}

describeBackends(
  'open that comes to much',
  (lab) => {
    it('goes on while somebody waits to have the network alone', async () => {
      const other = await lab.open({ shutdown: 'leave' });
      for (const vmId of ['vm-1', 'vm-2']) await other.setup(vmId);
      const link = (await hostLinks()).find(({ ifalias }) => ifalias?.includes('vm-2'))?.ifname ?? '';
      await ip('link', 'set', link, 'alias', '');
      const { opening, release } = await openWaiting(lab, {});
      const collecting = other.gc({ keep: ['vm-1', 'vm-2'] });
      await untilAwaited(`${lab.stateDir}/locks`);
      await release();
      expect((await opening).recovery.failed).toEqual([]);
      expect((await collecting).failed).toEqual([]);
      expect((await linkOf(null, link)).ifalias).toContain('vm-2');
    });

    it('has its pool by the time that somebody else may remove the network', async () => {
      const other = await lab.open({ shutdown: 'leave' });
      await other.setup('vm-1');
      const { opening, release } = await openWaiting(lab, { pool: { min: 1, max: 1 } });
      const refused = expectRefusal(other.removeNetwork(), 'ERR_NETWORK_IN_USE', 'pool');
      await untilAwaited(`${lab.stateDir}/locks`);
      await release();
      const manager = await opening;
      await refused;
      expect(await manager.setup('vm-2')).toMatchObject({ vmId: 'vm-2' });
    });
  },
  ['native'],
);

describeBackends(
  'a setup that was killed when it had come to its address',
  (lab) => {
    it.each(['setup', 'teardown'] as const)('loses it to the next %s of the same VM', async (verb) => {
      const manager = await lab.open();
      const { guestIp } = await manager.setup('vm-1');
      await manager.teardown('vm-1', { wait: true });
      const before = await canonicalDump();
      await writeFile(`/run/cni/networks/fcnet/${guestIp}`, 'vm-1\r\neth0');
      await writeFile(`${lab.stateDir}/locks/vm-1`, '');
      if (verb === 'setup') await manager.setup('vm-1');
      await manager.teardown('vm-1');
      await expectUnchanged(before);
    });
  },
  ['native'],
);
