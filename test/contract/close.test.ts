import { readdir, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { isNetworkError } from '../../lib/errors.ts';
import type { NetworkManager } from '../../lib/network-manager.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { replaceNamespace } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { Vmms } from '../support/vmm.ts';
import { describeBackends, throwingLogger } from './fixture.ts';

const vmms = new Vmms();
afterEach(() => vmms.end());

const vms = async () => (await readdir('/run/netns')).sort();

const verbs: Readonly<Record<string, (manager: NetworkManager) => Promise<unknown>>> = {
  setup: (manager) => manager.setup('vm-2'),
  teardown: (manager) => manager.teardown('vm-1'),
  withNetwork: (manager) => manager.withNetwork('vm-2', () => {}),
  verify: (manager) => manager.verify(),
  check: (manager) => manager.check('vm-1'),
  list: (manager) => manager.list(),
  gc: (manager) => manager.gc({ keep: [] }),
  repair: (manager) => manager.repair(),
  removeNetwork: (manager) => manager.removeNetwork(),
  warmUp: (manager) => manager.warmUp(),
};

describeBackends('close', (lab) => {
  it('tears down what this manager set up, and nothing else; once', async () => {
    const other = await lab.open();
    await other.setup('vm-3');
    const before = await canonicalDump();
    const manager = await lab.open();
    for (const vmId of ['vm-1', 'vm-2']) await manager.setup(vmId);
    await Promise.all([manager.close(), manager.close()]);
    await manager.close();
    await expectUnchanged(before);
    expect(await other.check('vm-3')).toEqual({ ok: true, differences: [] });
  });

  it('leaves a VM that this manager set up and another tore down and set up again', async () => {
    const [manager, other] = [await lab.open(), await lab.open()];
    await manager.setup('vm-1');
    await manager.teardown('vm-1');
    await other.setup('vm-1');
    await manager.close();
    expect(await other.check('vm-1')).toEqual({ ok: true, differences: [] });
  });

  it('tears down many at once, and leaves nothing that keeps their namespaces', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    const count = lab.backend === 'native' ? 40 : 4;
    const ids = Array.from({ length: count }, (_value, index) => `vm-${index}`);
    await Promise.all(ids.map((id) => manager.setup(id)));
    await Promise.all(ids.slice(0, count / 2).map((id) => manager.teardown(id)));
    await manager.close();
    await expectUnchanged(before);
  });

  it('leaves a VM that another tore down and set up again meanwhile', async () => {
    const [manager, other] = [await lab.open(), await lab.open()];
    for (const vmId of ['vm-1', 'vm-2']) await manager.setup(vmId, { containerId: `of-${vmId}` });
    await manager.setup('vm-3');
    for (const vmId of ['vm-1', 'vm-3']) {
      await other.teardown(vmId);
      await other.setup(vmId);
    }
    await manager.close();
    expect((await other.list()).map(({ vmId }) => vmId).sort()).toEqual(['vm-1', 'vm-3']);
    for (const vmId of ['vm-1', 'vm-3']) {
      expect(await other.check(vmId)).toEqual({ ok: true, differences: [] });
    }
  });

  it('tears down what lost its record, and what has it again', async () => {
    const [manager, other] = [await lab.open(), await lab.open()];
    const before = await canonicalDump();
    const { netnsPath } = await manager.setup('vm-1');
    await manager.setup('vm-2');
    await vmms.start(netnsPath);
    for (const vmId of ['vm-1', 'vm-2']) await rm(`${lab.stateDir}/results/fcnet-${vmId}-eth0`);
    expect((await other.repair('vm-1')).repaired).toMatchObject([{ vmId: 'vm-1', subject: 'record' }]);
    await manager.close();
    await vmms.end();
    await expectUnchanged(before);
  });

  it('with leave, leaves everything as it is', async () => {
    const manager = await lab.open({ shutdown: 'leave' });
    await manager.setup('vm-1');
    const before = await canonicalDump();
    await manager.close();
    await expectUnchanged(before);
    expect(await (await lab.open()).check('vm-1')).toEqual({ ok: true, differences: [] });
  });

  it('undoes set-ups that are under way', async () => {
    await lab.open();
    const before = await canonicalDump();
    const refused: unknown[] = [];
    // Where closing comes too late for any of them, it comes sooner.
    for (let delayMs = 9; delayMs >= 0 && refused.length === 0; delayMs -= 1) {
      const manager = await lab.open();
      const outcomes = Promise.allSettled(['vm-1', 'vm-2', 'vm-3'].map((vmId) => manager.setup(vmId)));
      if (delayMs > 0) await sleep(delayMs);
      await manager.close();
      for (const outcome of await outcomes) {
        if (outcome.status === 'rejected') refused.push(outcome.reason);
      }
      await expectUnchanged(before);
    }
    expect(refused.length).toBeGreaterThan(0);
    for (const reason of refused) {
      expect(reason).toMatchObject({ code: 'ERR_CLOSED', operation: 'setup', rolledBack: true });
    }
  });

  it.each(Object.keys(verbs))('refuses %s from then on', async (verb) => {
    const manager = await lab.open();
    await manager.close();
    const before = await canonicalDump();
    const work = () => verbs[verb]?.(manager) ?? Promise.resolve();
    const setup = { operation: 'setup', vmId: 'vm-2', rolledBack: true };
    const fields = verb === 'setup' || verb === 'withNetwork' ? setup : { operation: verb };
    await expectRefusal(work, 'ERR_CLOSED', /closed/, { network: 'fcnet', ...fields });
    await expectUnchanged(before);
  });

  it('goes on past a teardown that fails, logs it, and tells', async () => {
    const manager = await lab.open();
    for (const vmId of ['vm-1', 'vm-2', 'vm-3']) await manager.setup(vmId);
    await replaceNamespace('vulcan-vm-2');
    await expectRefusal(manager.close(), 'ERR_TEARDOWN_INCOMPLETE', 'vm-2', {
      ...{ operation: 'close', network: 'fcnet', errors: [{ vmId: 'vm-2' }] },
    });
    expect(await vms()).toEqual(['vulcan-vm-2']);
    expect(lab.logged.map(({ level, fields }) => [level, fields['vmId']])).toEqual([['error', 'vm-2']]);
  });

  it('goes on past a teardown that fails, though the logger throws', async () => {
    const manager = await lab.open({ logger: throwingLogger });
    for (const vmId of ['vm-1', 'vm-2', 'vm-3']) await manager.setup(vmId);
    await replaceNamespace('vulcan-vm-1');
    await expectRefusal(manager.close(), 'ERR_TEARDOWN_INCOMPLETE', 'vm-1', { errors: [{ vmId: 'vm-1' }] });
    expect(await vms()).toEqual(['vulcan-vm-1']);
  });

  it('at the end of a block never hides what the block did', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    await replaceNamespace('vulcan-vm-1');
    await manager[Symbol.asyncDispose]();
    expect(lab.logged).toMatchObject([{ level: 'error', fields: { vmId: 'vm-1' } }]);
    expect(isNetworkError(lab.logged[0]?.fields['err'], 'ERR_TEARDOWN_INCOMPLETE')).toBe(true);
  });

  it('at the end of a block tears down', async () => {
    const before = await (async () => {
      await using manager = await lab.open();
      const dump = await canonicalDump();
      await manager.setup('vm-1');
      return dump;
    })();
    await expectUnchanged(before);
  });
});
