import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { NetworkManager } from '../../lib/network-manager.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { holdLock } from '../support/hold-lock.ts';
import { until } from '../support/lab.ts';
import { stopAfterNaming, untilNoSurvivors, wrapperDir } from '../support/plugin-wrappers.ts';
import { expectRefusal } from '../support/refusal.ts';
import { debianPluginDir } from '../support/tools.mjs';
import { describeBackends } from './fixture.ts';

/** How long a setup takes here and now. */
async function durationOf(manager: NetworkManager): Promise<number> {
  await manager.setup('vm-0');
  await manager.teardown('vm-0');
  const start = performance.now();
  await manager.setup('vm-0');
  const duration = performance.now() - start;
  await manager.teardown('vm-0');
  return duration;
}

/** Moments spread over a setup. */
const moments = Array.from({ length: 12 }, (_value, index) => index / 12);

/** The VMs before which nothing of another VM's setup can be done. */
const others = Array.from({ length: 8 }, (_value, index) => `vm-other-${index}`);

/** Behind others, a setup that is stopped at once has not ended, however long this thread is kept from its processor. */
async function behindOthers(manager: NetworkManager, stopOne: () => Promise<void>): Promise<void> {
  const set = Promise.all(others.map((vmId) => manager.setup(vmId)));
  await stopOne();
  await set;
  expect((await manager.list()).map(({ vmId }) => vmId).sort()).toEqual(others);
  await Promise.all(others.map((vmId) => manager.teardown(vmId)));
}

describeBackends('an abort', (lab) => {
  it('at any moment undoes the setup before it rejects, with the reason', async () => {
    const manager = await lab.open();
    const untouched = await canonicalDump();
    const durationMs = await durationOf(manager);
    let aborted = 0;
    const abortAfter = async (delayMs: number) => {
      const controller = new AbortController();
      const outcome = Promise.allSettled([manager.setup('vm-1', { signal: controller.signal })]);
      // The shortest sleep may be longer than a setup.
      if (delayMs > 0) await sleep(delayMs);
      const reason = new Error('the user went away');
      controller.abort(reason);
      const [{ status, ...rest }] = await outcome;
      if (status === 'fulfilled') {
        await manager.teardown('vm-1');
      } else {
        aborted += 1;
        expect('reason' in rest && rest.reason).toMatchObject({
          ...{ name: 'AbortError', code: 'ABORT_ERR', rolledBack: true, cause: reason },
          ...{ operation: 'setup', network: 'fcnet', vmId: 'vm-1' },
        });
      }
    };
    for (const moment of moments) {
      await abortAfter(moment * durationMs);
      await expectUnchanged(untouched);
    }
    await behindOthers(manager, () => abortAfter(0));
    await expectUnchanged(untouched);
    expect(aborted).toBeGreaterThan(0);
  });

  it('of an open, at once or while another process has the network’s lock, leaves nothing', async () => {
    await (await lab.open()).removeNetwork();
    const release = await holdLock(`${lab.stateDir}/locks/.network-fcnet`);
    const before = await canonicalDump();
    const options = { backend: lab.backend, pluginDirs: [debianPluginDir], verify: 'off' } as const;
    for (const signal of [AbortSignal.abort('enough'), AbortSignal.timeout(100)]) {
      const refused = NetworkManager.open(options, { signal });
      await expect(refused).rejects.toMatchObject({ name: 'AbortError', rolledBack: true });
      await expectUnchanged(before);
    }
    await expectRefusal(
      NetworkManager.open(options, { timeoutMs: 300 }),
      'ERR_LOCK_TIMEOUT',
      'network-fcnet',
    );
    await expectUnchanged(before);
    await release();
    await lab.open();
  });

  it('before the beginning lets nothing begin', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    const options = { signal: AbortSignal.abort() };
    for (const refused of [manager.setup('vm-1', options), manager.withNetwork('vm-1', () => {}, options)]) {
      await expect(refused).rejects.toMatchObject({ name: 'AbortError', rolledBack: true });
    }
    await expectUnchanged(before);
  });

  it('of one setup is nothing to the others', async () => {
    const manager = await lab.open();
    // Without its lock it cannot have ended.
    const release = await holdLock(`${lab.stateDir}/locks/vm-1`);
    const controller = new AbortController();
    await behindOthers(manager, async () => {
      const setup = manager.setup('vm-1', { signal: controller.signal });
      controller.abort();
      await expect(setup).rejects.toMatchObject({ name: 'AbortError', rolledBack: true });
    });
    await release();
    await manager.teardown('vm-1');
    expect(await manager.list()).toEqual([]);
  });

  it('of a setup that waits for another of the same VM leaves the other be', async () => {
    const manager = await lab.open();
    const controller = new AbortController();
    const first = manager.setup('vm-1');
    const second = manager.setup('vm-1', { signal: controller.signal });
    controller.abort();
    await expect(second).rejects.toMatchObject({ name: 'AbortError', rolledBack: true });
    await first;
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
  });

  it('stops a wait for a lock that another process has', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    const release = await holdLock(`${lab.stateDir}/locks/vm-1`);
    const controller = new AbortController();
    const setup = manager.setup('vm-1', { signal: controller.signal });
    setTimeout(() => controller.abort(), 100);
    await expect(setup).rejects.toMatchObject({ name: 'AbortError', rolledBack: true });
    await release();
    await manager.teardown('vm-1');
    await expectUnchanged(before);
  });
});

describeBackends(
  'an abort',
  (lab) => {
    it('of an address plugin that has named an address and not its owner leaves no such address', async () => {
      const settled = await lab.open();
      await settled.setup('vm-0');
      const before = await canonicalDump();
      const addressFile = '/run/cni/networks/fcnet/10.168.0.99';
      await stopAfterNaming(addressFile);
      const manager = await lab.open({ pluginDirs: [wrapperDir, debianPluginDir] });
      const controller = new AbortController();
      const setup = manager.setup('vm-1', { signal: controller.signal });
      const outcome = expect(setup).rejects.toMatchObject({ name: 'AbortError', rolledBack: true });
      await until('the address', () => existsSync(addressFile));
      controller.abort();
      await outcome;
      expect(existsSync(addressFile)).toBe(false);
      await untilNoSurvivors();
      await rm(wrapperDir, { recursive: true });
      await expectUnchanged(before);
    });
  },
  ['cni'],
);

describeBackends('a time-out', (lab) => {
  it('at any moment undoes the setup before it rejects, and says at which step', async () => {
    const manager = await lab.open();
    const untouched = await canonicalDump();
    const durationMs = await durationOf(manager);
    let timedOut = 0;
    const timeOutAfter = async (timeoutMs: number) => {
      const [outcome] = await Promise.allSettled([manager.setup('vm-1', { timeoutMs })]);
      if (outcome.status === 'fulfilled') {
        await manager.teardown('vm-1');
      } else {
        timedOut += 1;
        await expectRefusal(Promise.reject(outcome.reason), 'ERR_TIMEOUT', `within ${timeoutMs} ms`, {
          ...{ operation: 'setup', vmId: 'vm-1', rolledBack: true, step: expect.any(String) },
        });
      }
    };
    for (const moment of moments) {
      await timeOutAfter(Math.max(1, Math.floor(moment * durationMs)));
      await expectUnchanged(untouched);
    }
    await behindOthers(manager, () => timeOutAfter(1));
    await expectUnchanged(untouched);
    expect(timedOut).toBeGreaterThan(0);
  });

  it('that a lock of another process causes names the file', async () => {
    const manager = await lab.open({ timeoutMs: 4_000 });
    const before = await canonicalDump();
    const file = `${lab.stateDir}/locks/vm-1`;
    const release = await holdLock(file);
    for (const work of [() => manager.setup('vm-1'), () => manager.teardown('vm-1')]) {
      await expectRefusal(work, 'ERR_LOCK_TIMEOUT', file, { step: 'lock', vmId: 'vm-1' });
    }
    await release();
    await manager.teardown('vm-1');
    await expectUnchanged(before);
  });
});
