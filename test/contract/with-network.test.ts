import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { holdLock } from '../support/hold-lock.ts';
import { replaceNamespace } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { describeBackends, throwingLogger } from './fixture.ts';

describeBackends('withNetwork', (lab) => {
  it('gives what fn gives, and tears down', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    const guestIp = await manager.withNetwork('vm-1', async (net) => {
      expect(await readdir('/run/netns')).toEqual(['vulcan-vm-1']);
      return net.guestIp;
    });
    expect(guestIp).toBe('10.168.0.2');
    await expectUnchanged(before);
  });

  it('takes the options of setup, and an fn that is not async', async () => {
    const manager = await lab.open();
    expect(await manager.withNetwork('vm-1', ({ tapName }) => tapName, { tapName: 'vm0' })).toBe('vm0');
  });

  it('tears down when fn fails, and rejects with what fn threw', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    const problem = new Error('the VMM did not start');
    const failed = manager.withNetwork('vm-1', () => Promise.reject(problem));
    await expect(failed).rejects.toBe(problem);
    await expectUnchanged(before);
    expect(lab.logged.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('never calls fn where there is no network', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    let called = false;
    const work = manager.withNetwork('vm-1', () => {
      called = true;
    });
    await expectRefusal(work, 'ERR_ATTACHMENT_EXISTS', 'vm-1', { operation: 'setup' });
    expect(called).toBe(false);
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
  });

  it('leaves what has been set up under the same id since', async () => {
    const manager = await lab.open();
    await manager.withNetwork('vm-1', async () => {
      await manager.teardown('vm-1');
      await manager.setup('vm-1');
    });
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
    await manager.withNetwork('vm-2', async () => {
      void manager.teardown('vm-2');
      void manager.setup('vm-2');
    });
    expect(await manager.check('vm-2')).toEqual({ ok: true, differences: [] });
    await manager.close();
    expect(await readdir('/run/netns')).toEqual([]);
  });

  it('only logs a teardown that fails', async () => {
    const manager = await lab.open();
    const result = await manager.withNetwork('vm-1', async () => {
      await replaceNamespace('vulcan-vm-1');
      return 'done';
    });
    expect(result).toBe('done');
    expect(lab.logged.filter(({ level }) => level === 'error')).toMatchObject([
      {
        fields: { vmId: 'vm-1', network: 'fcnet', err: { code: 'ERR_TEARDOWN_INCOMPLETE' } },
        message: expect.stringContaining('teardown failed'),
      },
    ]);
  });

  it('gives what fn gives though the logger throws what a teardown failed by', async () => {
    const manager = await lab.open({ logger: throwingLogger });
    const result = await manager.withNetwork('vm-1', async () => {
      await replaceNamespace('vulcan-vm-1');
      return 'done';
    });
    expect(result).toBe('done');
  });

  it('does not wait longer than its time for a teardown that cannot begin', async () => {
    const manager = await lab.open({ timeoutMs: 8_000 });
    const problem = new Error('the VMM did not start');
    let release = async () => {};
    const failed = manager.withNetwork('vm-1', async () => {
      release = await holdLock(`${lab.stateDir}/locks/vm-1`);
      throw problem;
    });
    await expect(failed).rejects.toBe(problem);
    expect(lab.logged).toMatchObject([{ level: 'error', fields: { err: { code: 'ERR_LOCK_TIMEOUT' } } }]);
    await release();
    await manager.teardown('vm-1');
    expect(await readdir('/run/netns')).toEqual([]);
  });
});
