import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { holdLock } from '../support/hold-lock.ts';
import { resetLab, until } from '../support/lab.ts';
import { native } from '../support/native.ts';
import { expectRefusal } from '../support/refusal.ts';
import { describeWith } from '../support/require.ts';
import { ip, run } from '../support/run.ts';
import { Vmms } from '../support/vmm.ts';
import { describeBackends } from './fixture.ts';
import { hostLinks, linkOf, linksOf, portStateOf, untilForwarding } from './oracles.ts';

const script = fileURLToPath(new URL('../support/pool-child.mjs', import.meta.url));

const children = new Set<ChildProcess>();

/** Another process with a pool, once it has set up the first so many of the VMs, all of them from it. */
async function startPool(
  command: readonly string[],
  options: object,
  vmIds: readonly string[] = [],
  count = vmIds.length,
) {
  const [file = '', ...args] = [...command, process.execPath, script, JSON.stringify(options), ...vmIds];
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  children.add(child);
  let said = '';
  child.stdout.on('data', (data) => {
    said += data;
  });
  const lines = 1 + count;
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  await until('the child', () => said.split('\n').length > lines || hasEnded());
  const expected = ['ready', ...vmIds.slice(0, count).map((vmId) => `${vmId} is warm`)];
  expect(said.split('\n').slice(0, lines)).toEqual(expected);
  return child;
}

async function kill(child: ChildProcess): Promise<void> {
  child.kill('SIGKILL');
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  children.delete(child);
}

const vmms = new Vmms();
afterEach(async () => {
  await vmms.end();
  for (const child of children) await kill(child);
});

const poolOwners = async () =>
  (await readdir('/run/cni/locks'))
    .filter((name) => name.startsWith('.pool-'))
    .map((name) => name.slice(0, 22));

describeBackends(
  'the pool of another process',
  (lab) => {
    it('that was killed leaves nothing once the network is opened, or gc runs; one that lives keeps all', async () => {
      const leave = { shutdown: 'leave' } as const;
      const manager = await lab.open(leave);
      await startPool([], { ...leave, pool: { min: 2, max: 2 } });
      const before = await canonicalDump();
      for (const recover of [
        async () => void (await (await lab.open(leave)).close()),
        async () =>
          void (await (await lab.open({ ...leave, backend: 'cni', stateDir: lab.stateDir })).close()),
        () => manager.gc({ keep: [] }),
      ]) {
        const doomed = await startPool([], { ...leave, pool: { min: 3, max: 3 } });
        expect(await poolOwners()).toHaveLength(2);
        await kill(doomed);
        await expectRefusal(manager.removeNetwork(), 'ERR_NETWORK_IN_USE', 'pool');
        expect(await poolOwners()).toHaveLength(2);
        await recover();
        await expectUnchanged(before);
        expect(await poolOwners()).toHaveLength(1);
      }
    });

    it('that was killed and can’t be cleared keeps nobody from the rest: it is told, and cleared later', async () => {
      const manager = await lab.open({ shutdown: 'leave' });
      await kill(await startPool([], { shutdown: 'leave', pool: { min: 1, max: 1 } }));
      const release = await holdLock('/run/cni/networks/fcnet/lock');
      const failed = [{ vmId: null, containerId: null, error: expect.objectContaining({ step: 'pool' }) }];
      expect(await manager.gc({ keep: [], timeoutMs: 6_000 })).toEqual({ removed: [], failed });
      await lab.open({ shutdown: 'leave', timeoutMs: 6_000 });
      expect(lab.logged).toMatchObject([{ level: 'warn', fields: { err: { step: 'pool' } } }]);
      await release();
      expect(await manager.gc({ keep: [] })).toEqual({ removed: [], failed: [] });
      expect(await poolOwners()).toEqual([]);
    });

    it('that was killed leaves nobody on the network who was the VM of a slot that rested', async () => {
      const { netnsPath, guestIp } = await (await lab.open({ shutdown: 'leave' })).setup('vm-1');
      await vmms.start(netnsPath);
      const [{ ifname } = { ifname: '' }] = await hostLinks();
      await untilForwarding();
      // As a return leaves it: disabled, and not dormant yet.
      await ip('link', 'set', ifname, 'alias', '');
      await run('bridge', ['link', 'set', 'dev', ifname, 'state', '0']);
      await ip('netns', 'delete', 'vulcan-vm-1');
      for (const file of ['locks/vm-1', 'results/fcnet-vm-1-eth0']) await rm(`/run/cni/${file}`);
      const owner = '.pool-0123456789abcdef';
      await writeFile(`/run/cni/networks/fcnet/${guestIp}`, owner);
      await writeFile(`/run/cni/locks/${owner}-fcnet`, '');
      await lab.open({ shutdown: 'leave' });
      expect(await readdir('/run/cni/networks/fcnet')).not.toContain(guestIp);
      for (const state of ['down', 'up']) await ip('link', 'set', 'fcbr0', state);
      expect(portStateOf(await linkOf(null, ifname))).toBe('disabled');
    });

    it('waits once for all slots when the addresses are locked, and leaves them to who looks next', async () => {
      const observer = await lab.open({ shutdown: 'leave' });
      const closeLocked = async (slots: number) => {
        const manager = await lab.open({ shutdown: 'leave', pool: { min: slots, max: slots } });
        await manager.warmUp();
        const release = await holdLock('/run/cni/networks/fcnet/lock');
        const before = lab.logged.length;
        let isClosed = false;
        const closed = manager.close().then(() => {
          isClosed = true;
        });
        await until('the links to go', async () =>
          (await linksOf(null)).every(({ ifname }) => !ifname.startsWith('vn')),
        );
        await native.descriptorLimit();
        // What comes meanwhile does not wait for it.
        expect(isClosed).toBe(false);
        await closed;
        await release();
        // Each wait in vain is told.
        expect(lab.logged.slice(before)).toMatchObject([
          { level: 'warn', fields: { err: { step: 'address' } } },
        ]);
      };
      await closeLocked(1);
      await closeLocked(4);
      expect(await observer.gc({ keep: [] })).toEqual({ removed: [], failed: [] });
      expect(await poolOwners()).toEqual([]);
    });

    it('leaves its VMs when it is killed', async () => {
      const manager = await lab.open({ shutdown: 'leave' });
      const before = await canonicalDump();
      const child = await startPool([], { pool: { min: 2, max: 2 } }, ['vm-1', 'vm-2']);
      await kill(child);
      await (await lab.open({ shutdown: 'leave' })).close();
      expect((await manager.list()).map(({ vmId }) => vmId).sort()).toEqual(['vm-1', 'vm-2']);
      for (const vmId of ['vm-1', 'vm-2']) {
        // It may have died before it had written on the link whose it is.
        await manager.repair(vmId);
        expect(await manager.check(vmId)).toEqual({ ok: true, differences: [] });
        await manager.teardown(vmId);
      }
      await expectUnchanged(before);
    });

    it('leaves whole VMs and nothing else when it is killed while it sets some up', async () => {
      const manager = await lab.open({ shutdown: 'leave' });
      const before = await canonicalDump();
      const vmIds = Array.from({ length: 24 }, (_value, index) => `vm-${index}`);
      for (const count of [1, 6, 11]) {
        await kill(await startPool([], { pool: { min: 24, max: 24 } }, vmIds, count));
        const next = await lab.open({ shutdown: 'leave' });
        expect(next.recovery.failed).toEqual([]);
        await next.close();
        const left = (await manager.list()).flatMap(({ vmId }) => vmId ?? []);
        expect(left).toEqual(expect.arrayContaining(vmIds.slice(0, count)));
        for (const vmId of left) {
          await manager.repair(vmId);
          expect(await manager.check(vmId)).toEqual({ ok: true, differences: [] });
          await manager.teardown(vmId);
        }
        await expectUnchanged(before);
      }
    });
  },
  ['native'],
);

let directory = '';
beforeEach(async () => {
  await resetLab();
  directory = await mkdtemp(join(tmpdir(), 'vulcan-pool-'));
});
afterEach(() => rm(directory, { recursive: true }));

describeWith(['strace', 'tun'], 'a setup from the pool', () => {
  it('asks nothing of rtnetlink', async () => {
    const file = join(directory, 'trace');
    const trace = [
      '--follow-forks',
      '--seccomp-bpf',
      '--decode-fds=all',
      '--trace=write,sendto,sendmsg,linkat,mount',
    ];
    // With one address, no slot can be built beside.
    const options = { ranges: [{ start: '10.168.0.2', end: '10.168.0.2' }], pool: { min: 1, max: 1 } };
    const child = await startPool(['strace', '--output', file, ...trace], options, ['vm-1']);
    child.stdin?.end();
    await once(child, 'exit');
    children.delete(child);
    const lines = (await readFile(file, 'utf8')).split('\n');
    const begin = lines.findIndex((line) => line.includes('"ready\\n"'));
    const recorded = lines.findIndex((line) => line.includes('"fcnet-vm-1-eth0"'));
    const asksRtnetlink = (line: string) => /send(to|msg)\(\d+<NETLINK:\[ROUTE/.test(line);
    expect(lines.slice(0, begin).some(asksRtnetlink)).toBe(true);
    const during = lines.slice(begin, recorded);
    expect(during.filter((line) => line.includes('MS_BIND'))).toHaveLength(1);
    expect(during.filter(asksRtnetlink)).toEqual([]);
  });
});
