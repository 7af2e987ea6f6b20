import { afterEach, expect, it } from 'vitest';
import type { NetworkManager } from '../../lib/network-manager.ts';
import type { PoolState } from '../../lib/types.ts';
import { until } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip } from '../support/run.ts';
import { Vmms } from '../support/vmm.ts';
import { type ContractLab, describeBackends, describeOtherLayouts } from './fixture.ts';
import { hostLinks, linksOf, portStateOf } from './oracles.ts';

const stateOf = (manager: NetworkManager): PoolState => {
  const [pool] = manager.stats().pools;
  if (pool === undefined) throw new Error('there is no pool');
  return pool;
};

/** With one VM from a pool of one, whose link says so; the link. */
async function openWithVm(lab: ContractLab, restMs: number) {
  const manager = await lab.open({ pool: { min: 1, max: 1, restMs } });
  await manager.warmUp();
  const net = await manager.setup('vm-1');
  expect(net.origin).toBe('warm');
  await until('the alias', async () => (await hostLinks()).length === 1);
  const [link] = await hostLinks();
  if (link === undefined) throw new Error('the VM has no link on the host');
  return { manager, net, link };
}

const vmms = new Vmms();

const tests = (lab: ContractLab) => {
  afterEach(() => vmms.end());

  const lookers: Readonly<Record<string, (manager: NetworkManager) => Promise<unknown>>> = {
    'its VM’s teardown, come again': (manager) => manager.teardown('vm-1'),
    'a repair': (manager) => manager.repair(),
    gc: (manager) => manager.gc({ keep: [] }),
    'another manager': () => lab.open({ shutdown: 'leave' }),
  };

  it.each(Object.keys(lookers))('is left alone by %s while it rests', async (who) => {
    const { manager, link } = await openWithVm(lab, 60_000);
    await manager.teardown('vm-1');
    expect(stateOf(manager)).toMatchObject({ resting: 1, inUse: 0 });
    await lookers[who]?.(manager);
    const found = (await linksOf(null)).find(({ ifname }) => ifname === link.ifname);
    expect(found).toMatchObject({ address: link.address });
    expect(found?.ifalias).toBeUndefined();
    expect(stateOf(manager)).toMatchObject({ resting: 1 });
  });

  const ends: Readonly<Record<string, (manager: NetworkManager) => Promise<unknown>>> = {
    'can’t be proven to be as new': async () => {},
    'goes with its pool': (manager) => manager.close(),
  };

  it.each(Object.keys(ends))(
    'that %s takes its link along, and cut off until then, whoever is in its namespace',
    async (how) => {
      const { manager, net, link } = await openWithVm(lab, how === 'goes with its pool' ? 60_000 : 0);
      await vmms.start(net.netnsPath);
      await manager.teardown('vm-1');
      await ends[how]?.(manager);
      // Whereupon a bridge lets those of its ports forward again that somebody has disabled.
      for (const state of link.master === undefined ? [] : ['down', 'up']) {
        await ip('link', 'set', link.master ?? '', state);
      }
      const left = (await linksOf(null)).filter(({ ifname }) => ifname === link.ifname);
      if (lab.isBridged) for (const each of left) expect(portStateOf(each)).toBe('disabled');
      else expect(left.filter(({ flags }) => flags.includes('UP'))).toEqual([]);
      const isGone = async () => (await linksOf(null)).every(({ ifname }) => ifname !== link.ifname);
      await until('the link to go', isGone);
      expect(manager.stats().pools).toMatchObject([{ inUse: 0 }]);
    },
  );

  it('is no VM’s any more once gc has removed that', async () => {
    const { manager } = await openWithVm(lab, 0);
    expect(stateOf(manager).inUse).toBe(1);
    expect(await manager.gc({ keep: [] })).toMatchObject({ removed: [{ vmId: 'vm-1' }], failed: [] });
    expect(stateOf(manager).inUse).toBe(0);
  });

  it('is not kept of a VM whose attachment has another id, whatever the VM was before', async () => {
    const { manager } = await openWithVm(lab, 60_000);
    const other = await lab.open({ shutdown: 'leave' });
    await other.teardown('vm-1');
    await manager.warmUp();
    expect(await manager.setup('vm-1', { containerId: 'other' })).toMatchObject({ origin: 'warm' });
    await manager.teardown('vm-1');
    expect(stateOf(manager)).toMatchObject({ resting: 0, inUse: 0 });
    expect(manager.stats().latency).toMatchObject({ teardown: { count: 1 }, recycled: { count: 0 } });
    expect(await manager.list()).toEqual([]);
  });

  it('that a setup gives back is counted by who waits for it', async () => {
    const { manager } = await openWithVm(lab, 0);
    await manager.warmUp();
    const refused = expectRefusal(manager.setup('vm-1'), 'ERR_ATTACHMENT_EXISTS', /vm-1/, {});
    expect(stateOf(manager).ready).toBe(0);
    await manager.warmUp({ timeoutMs: 5_000 });
    await refused;
  });

  it('is waited for in vain once the network has gone', async () => {
    const manager = await lab.open({ pool: { min: 1, max: 1 } });
    await manager.removeNetwork();
    await expect(manager.warmUp()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });
};

describeBackends('a slot that nobody has', tests, ['native']);
describeOtherLayouts('a slot that nobody has', tests);
