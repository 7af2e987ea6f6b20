import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import type { NetworkManager } from '../../lib/network-manager.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { until } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip } from '../support/run.ts';
import { standIn } from '../support/stand-in.ts';
import { ping } from '../support/traffic.ts';
import { Vmms } from '../support/vmm.ts';
import { type ContractLab, describeBackends, describeLayouts, describeOtherLayouts } from './fixture.ts';
import { hostLinks } from './oracles.ts';
import { slotAddresses } from './pool-state.ts';

const store = '/run/cni/networks/fcnet';
const vmms = new Vmms();
afterEach(() => vmms.end());

/** Of a state directory that is a mount itself, all that is in it. */
const stateOf = ({ stateDir }: ContractLab) => [`${stateDir}/locks`, `${stateDir}/results`];

const removals = [
  ['state', stateOf],
  ['address', () => ['/run/cni/networks']],
  ['state and address', (lab: ContractLab) => [...stateOf(lab), '/run/cni']],
] as const;

async function remove(paths: readonly string[]): Promise<void> {
  // A pool may be about to write.
  for (const path of paths) await rm(path, { recursive: true, force: true, maxRetries: 10 });
}

const reserved = async () => (await readdir(store)).filter((name) => name.startsWith('10.')).sort();

const ownerOf = async (ip: string) => (await readFile(`${store}/${ip}`, 'utf8')).split('\r\n')[0];

describeLayouts('a directory that was removed under a manager', (lab) => {
  it.each(removals)(
    '%s: no address is given twice, a repair puts back who is in use, a teardown takes the rest',
    async (_title, paths) => {
      const before = await canonicalDump();
      const manager = await lab.open();
      const used = await manager.setup('vm-1');
      await vmms.start(used.netnsPath);
      const idle = await manager.setup('vm-2');
      await remove(paths(lab));
      await manager.list();
      const next = await manager.setup('vm-3');
      const ips = [used, idle, next].map(({ guestIp }) => guestIp);
      expect(new Set(ips).size).toBe(3);
      expect(await reserved()).toEqual([...ips].sort());
      for (const [index, ip] of ips.entries()) expect(await ownerOf(ip)).toBe(`vm-${index + 1}`);
      await manager.repair('vm-1');
      expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
      await expectRefusal(manager.setup('vm-2'), 'ERR_ATTACHMENT_EXISTS', 'vm-2 already has its network');
      await vmms.end();
      for (const vmId of ['vm-1', 'vm-2', 'vm-3']) await manager.teardown(vmId);
      expect(await reserved()).toEqual([]);
      await manager.removeNetwork();
      await expectUnchanged(before);
    },
  );

  it.each(removals)('%s: gc removes what is not kept, and close what was set up', async (_title, paths) => {
    const before = await canonicalDump();
    const manager = await lab.open();
    for (const vmId of ['vm-1', 'vm-2', 'vm-3']) await manager.setup(vmId);
    await remove(paths(lab));
    await manager.gc({ keep: ['vm-1', 'vm-2'] });
    const other = await lab.open();
    await expectRefusal(other.removeNetwork(), 'ERR_NETWORK_IN_USE', 'vm-1');
    await remove(paths(lab));
    await manager.close();
    await other.removeNetwork();
    await expectUnchanged(before);
  });

  it('a teardown leaves a VM of another manager, which keeps its records somewhere else', async () => {
    const [manager, other] = [await lab.open(), await lab.open({ stateDir: '/run/other' })];
    await manager.setup('vm-1');
    const before = await canonicalDump();
    await other.teardown('vm-1');
    await expectRefusal(other.setup('vm-1'), 'ERR_ATTACHMENT_EXISTS', 'vm-1 already has its network');
    await expectUnchanged(before);
  });

  it.each(removals)('%s: an open puts the addresses back, and so does a repair', async (_title, paths) => {
    const manager = await lab.open({ shutdown: 'leave' });
    const { netnsPath, guestIp } = await manager.setup('vm-1');
    await vmms.start(netnsPath);
    await remove(paths(lab));
    await lab.open({ shutdown: 'leave' });
    expect(await reserved()).toEqual([guestIp]);
    await remove(paths(lab));
    const { repaired } = await manager.repair();
    expect(repaired.map(({ vmId }) => vmId)).toContain('vm-1');
    expect(await reserved()).toEqual([guestIp]);
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
  });
});

describeLayouts('the directory of addresses of a process that was killed while it made it again', (lab) => {
  /** Of `ips`, as many as it came to: the lock comes last of all. */
  const leave = async (ips: readonly string[]) => {
    await remove([store]);
    await mkdir(store, { recursive: true });
    for (const [index, ip] of ips.entries()) await writeFile(`${store}/${ip}`, `vm-${index + 1}\r\neth0`);
  };

  it.each([
    ['a set-up', (manager: NetworkManager) => manager.setup('vm-3')],
    ['an open', async () => (await lab.open({ shutdown: 'leave' })).setup('vm-3')],
    [
      'a repair',
      async (manager: NetworkManager) => {
        await manager.repair();
        return manager.setup('vm-3');
      },
    ],
  ])('is not taken for whole by %s: no address is given twice', async (_title, setup) => {
    const manager = await lab.open({ shutdown: 'leave' });
    const ips = [await manager.setup('vm-1'), await manager.setup('vm-2')].map(({ guestIp }) => guestIp);
    for (const count of [0, 1]) {
      await leave(ips.slice(0, count));
      const { guestIp } = await setup(manager);
      expect(await reserved()).toEqual([...ips, guestIp].sort());
      for (const [index, ip] of [...ips, guestIp].entries())
        expect(await ownerOf(ip)).toBe(`vm-${index + 1}`);
      await manager.teardown('vm-3');
    }
  });

  it.each([
    ['a teardown', (manager: NetworkManager) => manager.teardown('vm-1')],
    ['a gc', (manager: NetworkManager) => manager.gc({ keep: ['vm-2'] })],
  ])('is not made whole by %s, which lets go of an address', async (_title, remove) => {
    const before = await canonicalDump();
    const manager = await lab.open();
    const [first, second] = [await manager.setup('vm-1'), await manager.setup('vm-2')];
    await leave([first.guestIp]);
    await remove(manager);
    expect(await reserved()).not.toContain(first.guestIp);
    const { guestIp } = await manager.setup('vm-3');
    expect(await reserved()).toEqual([second.guestIp, guestIp].sort());
    for (const vmId of ['vm-2', 'vm-3']) await manager.teardown(vmId);
    expect(await reserved()).toEqual([]);
    await manager.removeNetwork();
    await expectUnchanged(before);
  });

  it('is not made whole by an open that removes what is left of a VM', async () => {
    const manager = await lab.open({ shutdown: 'leave' });
    await manager.setup('vm-1');
    const second = await manager.setup('vm-2');
    await ip('netns', 'delete', 'vulcan-vm-1');
    await until('its link to go', async () => (await hostLinks()).length === 1);
    await leave([]);
    const other = await lab.open({ shutdown: 'leave' });
    expect(other.recovery).toMatchObject({ removed: ['vm-1'], failed: [] });
    expect(await reserved()).toEqual([second.guestIp]);
    expect((await other.setup('vm-3')).guestIp).not.toBe(second.guestIp);
  });
});

describeBackends('a state directory that others may write, in the place of one that was removed', (lab) => {
  it('is refused, and nothing is made in it', async () => {
    const stateDir = '/run/state';
    const manager = await lab.open({ stateDir });
    await remove([stateDir]);
    await mkdir(stateDir);
    await chmod(stateDir, 0o777);
    await expectRefusal(manager.setup('vm-1'), 'ERR_STATE_DIR_UNSAFE', stateDir, { rolledBack: true });
    expect(await readdir(stateDir)).toEqual([]);
    await remove([stateDir]);
    await manager.setup('vm-1');
    expect(await readdir(`${stateDir}/results`)).toEqual(['fcnet-vm-1-eth0']);
  });
});

const pooled = (lab: ContractLab) => {
  it.each(removals)('%s: goes on, is known as a pool, and leaves nothing', async (_title, paths) => {
    const before = await canonicalDump();
    const other = await lab.open();
    const manager = await lab.open({ pool: { min: 2, max: 4, restMs: 0 } });
    await manager.warmUp();
    const taken = await manager.setup('vm-1');
    // Since the pool has looked for its lock.
    await sleep(1_100);
    await remove(paths(lab));
    const nets = [];
    for (const vmId of ['vm-2', 'vm-3', 'vm-4', 'vm-5']) nets.push(await manager.setup(vmId));
    expect(new Set([taken, ...nets].map(({ guestIp }) => guestIp)).size).toBe(5);
    for (const { vmId } of nets) await manager.teardown(vmId);
    await until('the pool', async () => (manager.stats().pools[0]?.ready ?? 0) >= 2);
    expect((await manager.setup('vm-6')).origin).toBe('warm');
    await manager.teardown('vm-6');
    await manager.teardown('vm-1');
    await expectRefusal(other.removeNetwork(), 'ERR_NETWORK_IN_USE', 'pool');
    await manager.close();
    await other.removeNetwork();
    await expectUnchanged(before);
  });

  it.each(removals)(
    '%s: closes with all its slots, and VMs that say not yet whose they are',
    async (_title, paths) => {
      const before = await canonicalDump();
      const other = await lab.open();
      const manager = await lab.open({ pool: { min: 2, max: 2 } });
      await manager.warmUp();
      await manager.setup('vm-1');
      await manager.setup('vm-2');
      await remove(paths(lab));
      await manager.close();
      await other.removeNetwork();
      await expectUnchanged(before);
    },
  );

  it('leaves alone what VMs of another manager have on the host with addresses that were its slots’', async () => {
    const other = await lab.open({ shutdown: 'leave' });
    const manager = await lab.open({ pool: { min: 2, max: 2, restMs: 3_000 } });
    await manager.warmUp();
    await manager.setup('vm-1');
    const pool = () => manager.stats().pools[0];
    await until('another slot', () => pool()?.ready === 2 && pool()?.building === 0);
    await manager.teardown('vm-1');
    expect(pool()).toMatchObject({ ready: 2, resting: 1 });
    const slots = await slotAddresses();
    await remove(['/run/cni/networks']);
    const nets = [];
    for (const [index, address] of slots.entries()) {
      nets.push(await other.setup(`vm-${2 + index}`, { address }));
    }
    expect(nets).toHaveLength(3);
    await until('the end of the rest', () => pool()?.resting === 0);
    await manager.setup('vm-5');
    await manager.close();
    for (const net of nets) {
      expect(await other.check(net.vmId)).toEqual({ ok: true, differences: [] });
      expect(await ping(await standIn(net), net.gatewayIp ?? '')).toBe(true);
    }
  });
};
describeBackends('the pool of a manager whose directory was removed', pooled, ['native']);
describeOtherLayouts('the pool of a manager whose directory was removed', pooled);
