import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { BackendName } from '../../lib/types.ts';
import { describeBackends } from '../contract/fixture.ts';
import { debianPluginDir } from '../support/tools.mjs';
import { commandsOf, opened, repaired } from './commands.ts';
import { Expected } from './expected.ts';
import { Host } from './host.ts';
import type { Listed } from './managers.ts';
import { difference, stateOf } from './state.ts';

/** Longer: `npm run proof -- model`, which sets these. A failure prints the seed and the path by which it is repeated. */
const runs: Readonly<Record<BackendName, number>> = {
  native: Number(process.env['MODEL_RUNS'] ?? 8),
  cni: Number(process.env['MODEL_CNI_RUNS'] ?? 3),
};
const seed = process.env['MODEL_SEED'] ?? process.env['VULCAN_SEED'];
const path = process.env['MODEL_PATH'];
const patienceMs = 10_000;
const timeoutMs = 60_000 + 20_000 * Math.max(...Object.values(runs));

describeBackends('a model of what must exist', (lab) => {
  const options = {
    ...{ backend: lab.backend, pluginDirs: [debianPluginDir] },
    ...({ verify: 'off', shutdown: 'leave' } as const),
  };
  let host: Host;
  /** What an empty network leaves, and what a VM adds to it. */
  let empty: readonly string[];
  let each: readonly string[];

  beforeEach(async () => {
    host = new Host(options, lab.stateDir);
    const manager = await lab.open({ shutdown: 'leave' });
    await manager.setup('vm-1');
    await manager.teardown('vm-1', { wait: true });
    empty = await stateOf(host, []);
    const { guestIp } = await manager.setup('vm-1');
    const one = await stateOf(host, [{ vmId: 'vm-1', state: 'complete', ip: guestIp }]);
    each = difference(one, empty);
    expect(difference(empty, one)).toEqual([]);
    await manager.gc({ keep: [] });
    await manager.close();
  });
  afterEach(() => host.end());

  /** The kernel gets a while to free links. */
  async function expectState(listed: readonly Listed[], expected: readonly string[]): Promise<void> {
    const deadline = performance.now() + patienceMs;
    let seen = await stateOf(host, listed);
    while (`${seen}` !== `${expected}` && performance.now() < deadline) seen = await stateOf(host, listed);
    expect(seen).toEqual(expected);
  }

  /** Once all is brought to order there is what the model says, and nothing else. */
  async function expectOrder(model: Expected): Promise<void> {
    await opened(host.near, model);
    await repaired(host.near, model);
    for (const [vmId, { linked }] of model.vms) {
      if (linked) continue;
      expect(await host.near.teardown(vmId)).toEqual({ value: null });
      model.remove(vmId);
      await host.leave(vmId);
    }
    expect(await host.near.list()).toEqual({ value: model.listed });
    for (const vmId of model.vms.keys()) expect(await host.near.check(vmId)).toEqual({ value: [] });
    const whole = [...empty, ...model.listed.flatMap(() => each)].sort();
    await expectState(model.listed, whole);
    expect(await host.near.gc([])).toEqual({ value: [] });
    for (const vmId of host.inhabited) await host.leave(vmId);
    await expectState([], empty);
  }

  it(
    'agrees with it, whatever happens in whatever order',
    async () => {
      const property = fc.asyncProperty(commandsOf(lab.backend), async (commands) => {
        const model = new Expected();
        try {
          await fc.asyncModelRun(async () => {
            await opened(host.near, model);
            await opened(host.far, model);
            return { model, real: host };
          }, commands);
          await expectOrder(model);
        } finally {
          await host.end();
        }
      });
      await fc.assert(property, {
        numRuns: runs[lab.backend],
        ...(seed === undefined ? {} : { seed: Number(seed) }),
        ...(path === undefined ? {} : { path }),
        endOnFailure: process.env['MODEL_SHRINK'] === undefined,
      });
    },
    timeoutMs,
  );
});
