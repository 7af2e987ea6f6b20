import { expect, it } from 'vitest';
import { untilAwaited } from '../support/awaited-lock.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { holdLock } from '../support/hold-lock.ts';
import { until } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { run } from '../support/run.ts';
import { describeBackends } from './fixture.ts';
import { hostLinks } from './oracles.ts';

/** Verbs about many VMs. */

/** How many VMs are removed at a time. */
const width = 32;

const vmIds = (count: number) => Array.from({ length: count }, (_value, index) => `vm-${100 + index}`);

describeBackends('a verb about many VMs', (lab) => {
  it('that is aborted before it begins does nothing', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    const before = await canonicalDump();
    const signal = AbortSignal.abort('enough');
    for (const verb of [manager.list({ signal }), manager.gc({ keep: [], signal })]) {
      await expect(verb).rejects.toMatchObject({ name: 'AbortError', cause: 'enough', rolledBack: true });
    }
    await expectUnchanged(before);
  });

  it('that takes too long says so, and leaves the rest to the next', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    await Promise.all(vmIds(lab.backend === 'native' ? 120 : 8).map((vmId) => manager.setup(vmId)));
    // Set-ups have their results a moment before they let go of it.
    await run('flock', [`${lab.stateDir}/locks/.network-fcnet`, 'true']);
    await expectRefusal(manager.gc({ keep: [], timeoutMs: 10 }), 'ERR_TIMEOUT', 'within 10 ms', {
      operation: 'gc',
    });
    expect((await manager.gc({ keep: [] })).failed).toEqual([]);
    await until('the links to go', async () => (await hostLinks()).length === 0);
    await expectUnchanged(before);
  });
});

describeBackends(
  'a gc that is aborted',
  (lab) => {
    it('ends what it is removing before it rejects, and begins no more', async () => {
      const manager = await lab.open();
      const ids = vmIds(width + 8);
      await Promise.all(ids.map((vmId) => manager.setup(vmId)));
      const held = ids.slice(0, width).map((vmId) => holdLock(`${lab.stateDir}/locks/${vmId}`));
      const releases = await Promise.all(held);
      const controller = new AbortController();
      let isOver = false;
      const gc = manager.gc({ keep: [], signal: controller.signal }).finally(() => {
        isOver = true;
      });
      const outcome = expect(gc).rejects.toMatchObject({ name: 'AbortError', cause: 'enough' });
      const states = async () =>
        (await hostLinks()).map(({ linkinfo }) => linkinfo?.info_slave_data?.['state']);
      await until('all to be cut', async () => (await states()).every((state) => state === 'disabled'));
      await untilAwaited(`${lab.stateDir}/locks`, width);
      controller.abort('enough');
      for (const release of releases) {
        expect(isOver).toBe(false);
        await release();
      }
      await outcome;
      expect((await manager.list()).map(({ vmId }) => vmId)).toEqual(ids.slice(width));
      const { removed } = await manager.gc({ keep: [] });
      expect(removed.map(({ vmId }) => vmId)).toEqual(ids.slice(width));
    });
  },
  ['native'],
);
