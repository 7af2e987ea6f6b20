import { beforeAll, expect, it } from 'vitest';
import { proveCrashes } from '../support/faults/crashes.mjs';
import { someCases } from '../support/faults/operations.mjs';
import { crashPoints, few, sample } from '../support/faults/selection.mjs';
import { installSteps } from '../support/faults/subject.mjs';
import { resetLab } from '../support/lab.ts';
import { chooseSeed } from '../support/random.mjs';
import { describeWith } from '../support/require.ts';

/** Of what changes something so many, chosen by chance; `npm run proof -- crashes` takes every point there is. */
const ofVerbs = 16;
const ofPools = 6;
/** What a pool does is the same on each layout, but for a link's port and its routes. */
const ofOtherLayouts = 1;
const seed = chooseSeed();

describeWith(['tun', 'shim', 'plugins'], `wherever the manager is killed (VULCAN_SEED=${seed})`, () => {
  beforeAll(async () => {
    await resetLab();
    await installSteps();
  });

  it.each(someCases(seed))(
    'a new one brings the host back after $operation: $backend, $layout',
    async (each) => {
      await resetLab();
      const whole =
        each.backend === 'native' && (each.operation === 'setup' || each.operation === 'teardown');
      const isUsual = each.layout === 'bridge';
      const ofUsual = ['setup', 'teardown', 'gc', 'open'].includes(each.operation) ? ofVerbs : ofPools;
      const sampled = isUsual ? ofUsual : ofOtherLayouts;
      const chosen = isUsual ? sample : few;
      const select = (points: Parameters<typeof sample>[0]) =>
        whole ? crashPoints(points) : chosen(crashPoints(points), sampled, seed);
      const { points, runs, problems } = await proveCrashes(each, { select });
      expect(problems).toEqual([]);
      const all = crashPoints(points).length;
      expect(all).toBeGreaterThan(0);
      expect(runs).toBeGreaterThanOrEqual(whole ? all : Math.min(all, sampled));
    },
  );
});
