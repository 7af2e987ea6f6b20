import { closeSync, openSync, readdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { until } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { run } from '../support/run.ts';
import { type ContractLab, describeBackends } from './fixture.ts';

/** Of descriptors, the least that a pool leaves to others. */
const kept = 64;

const open = () => readdirSync('/proc/self/fd').length;

async function allow(descriptors: number | string): Promise<void> {
  await run('prlimit', ['--pid', `${process.pid}`, `--nofile=${descriptors}:`]);
}

const pool = (lab: ContractLab) => {
  let before = '';
  let owners: number[] = [];
  const closeOwners = () => {
    for (const fd of owners.splice(0)) closeSync(fd);
  };
  beforeEach(async () => {
    before = (
      await run('prlimit', ['--pid', `${process.pid}`, '--nofile', '--output=SOFT', '--noheadings'])
    ).trim();
  });
  afterEach(() => {
    closeOwners();
    return allow(before);
  });

  it('stops where the last descriptors begin, says what to do, and goes on once there are more', async () => {
    // Before it is opened, from when on it fills: there is no room for 40, though some that are open now be closed.
    await allow(open() + kept + 20);
    const manager = await lab.open({ pool: { min: 40, max: 60, restMs: 0 } });
    await expectRefusal(
      manager.warmUp(),
      'ERR_DESCRIPTORS',
      'raise LimitNOFILE (systemd) or ulimit -n, of the host fs.file-max, or lower pool.max',
    );
    const [state] = manager.stats().pools;
    expect(state?.ready).toBeLessThan(40);
    expect(lab.logged.filter(({ level }) => level === 'warn').map(({ message }) => message)).toContainEqual(
      expect.stringContaining('a slot could not be built'),
    );
    // What is left has to do for a teardown and, at the same time, a slot that is tried again.
    owners = Array.from({ length: kept - 32 }, () => openSync('/dev/null', 'r'));
    for (const vmId of ['vm-1', 'vm-2']) await manager.setup(vmId);
    await manager.setup('vm-3', { mac: '02:00:00:00:00:03' });
    for (const vmId of ['vm-1', 'vm-2', 'vm-3']) expect((await manager.check(vmId)).ok).toBe(true);
    for (const vmId of ['vm-1', 'vm-2', 'vm-3']) await manager.teardown(vmId);
    closeOwners();
    await allow(before);
    await until('the pool', async () => (manager.stats().pools[0]?.ready ?? 0) >= 40);
  });

  it('of more slots than there are descriptors is warned of', async () => {
    await allow(1_024);
    const ids = async (max: number) => {
      const manager = await lab.open({ pool: { min: 0, max } });
      const { findings } = await manager.verify();
      await manager.close();
      return findings.filter(({ severity }) => severity === 'warning').map(({ id }) => id);
    };
    expect(await ids(1_024 - 128)).not.toContain('pool.descriptors');
    expect(await ids(1_024 - 127)).toContain('pool.descriptors');
  });
};
describeBackends('a pool', pool, ['native']);
