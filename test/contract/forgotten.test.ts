import { tracingChannel } from 'node:diagnostics_channel';
import { rm } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import type { NetworkManager } from '../../lib/network-manager.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { until } from '../support/lab.ts';
import { describeBackends } from './fixture.ts';

/** What one manager has set up and another tears down. */

const inUse = (manager: NetworkManager) => manager.stats().pools[0]?.inUse;

/** More than a manager has before it looks for those that have gone. */
const many = 300;

const torn: string[] = [];
const onTeardown = { start: (event: object) => void torn.push((event as { vmId: string }).vmId) };

/** Which VMs it tries to tear down. */
async function closing(manager: NetworkManager): Promise<readonly string[]> {
  torn.length = 0;
  tracingChannel('vulcan-net:teardown').subscribe(onTeardown as never);
  await manager.close();
  return torn.toSorted();
}
afterEach(() => void tracingChannel('vulcan-net:teardown').unsubscribe(onTeardown as never));

describeBackends('what others have torn down', (lab) => {
  it('is not torn down by close, nor is what they have set up again', async () => {
    const [manager, other] = [await lab.open(), await lab.open()];
    for (const vmId of ['gone', 'replaced', 'own']) await manager.setup(vmId);
    await manager.setup('other-id', { containerId: 'id' });
    for (const vmId of ['gone', 'replaced', 'other-id']) await other.teardown(vmId);
    await other.setup('replaced');
    expect(await closing(manager)).toEqual(['own']);
    expect((await other.list()).map(({ vmId }) => vmId)).toEqual(['replaced']);
    await other.teardown('replaced');
  });

  it('is torn down by close as long as a part of it is there', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    await manager.setup('vm-1');
    await rm(`${lab.stateDir}/results/fcnet-vm-1-eth0`);
    expect(await closing(manager)).toEqual(['vm-1']);
    await expectUnchanged(before);
  });
});

describeBackends(
  'what others have torn down of a pool',
  (lab) => {
    const open = async () => {
      const manager = await lab.open({ pool: { min: 2, max: 4, recycle: false } });
      await manager.warmUp();
      return manager;
    };

    it('is no more in use after the gc that removes it', async () => {
      const manager = await open();
      for (const vmId of ['vm-1', 'vm-2']) await manager.setup(vmId);
      expect(inUse(manager)).toBe(2);
      await manager.gc({ keep: ['vm-2'] });
      expect(inUse(manager)).toBe(1);
      expect(await manager.check('vm-2')).toEqual({ ok: true, differences: [] });
    });

    it('is forgotten once there are many', async () => {
      const [manager, other] = [await open(), await lab.open()];
      for (let count = 0; count < many; count += 1) {
        await manager.setup(`vm-${count}`);
        if (count > 0) await other.teardown(`vm-${count}`);
      }
      // Of how many none was ready is no matter.
      await until('the look', () => (inUse(manager) ?? many) <= many / 2);
      expect(await manager.check('vm-0')).toEqual({ ok: true, differences: [] });
      expect(await closing(manager)).toEqual(['vm-0']);
    });
  },
  ['native'],
);
