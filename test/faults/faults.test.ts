import { beforeAll, expect, it } from 'vitest';
import { mostMissed, proveFaults } from '../support/faults/faults.mjs';
import { type OperationName, someCases } from '../support/faults/operations.mjs';
import { few, sample } from '../support/faults/selection.mjs';
import { installSteps } from '../support/faults/subject.mjs';
import { resetLab } from '../support/lab.ts';
import { chooseSeed } from '../support/random.mjs';
import { describeWith } from '../support/require.ts';

/** Of an operation's points so many, chosen by chance; `npm run proof -- faults` takes all, in every way to fail. */
const sampled = (operation: OperationName) => (['gc', 'open'].includes(operation) ? 45 : 20);
/** What a pool does is the same on each layout, but for a link's port and its routes. */
const ofOtherLayouts = 5;
const seed = chooseSeed();

describeWith(
  ['tun', 'shim', 'plugins'],
  `whatever call, message or plugin fails (VULCAN_SEED=${seed})`,
  () => {
    beforeAll(async () => {
      await resetLab();
      await installSteps();
    });

    it.each(someCases(seed))(
      'nothing is left of $operation, and the error names the step: $backend, $layout',
      async (each) => {
        await resetLab();
        const ofVm = each.operation === 'setup' || each.operation === 'teardown';
        const whole = each.backend === 'native' && ofVm;
        const isUsual = each.layout === 'bridge';
        const ofUsual = ofVm ? 45 : sampled(each.operation);
        const count = isUsual ? ofUsual : ofOtherLayouts;
        const chosen = isUsual ? sample : few;
        const select = (points: Parameters<typeof sample>[0]) =>
          whole ? points : chosen(points, count, seed);
        const first = await proveFaults(each, { select });
        expect(first.problems).toEqual([]);
        // On a busy host a trace may have what no other run has.
        const isOdd = first.missed > mostMissed(first.runs);
        const { points, runs, missed, problems } = isOdd ? await proveFaults(each, { select }) : first;
        expect(problems).toEqual([]);
        expect(missed).toBeLessThanOrEqual(mostMissed(runs));
        expect(runs).toBeGreaterThanOrEqual(whole ? points.length : Math.min(points.length, count));
      },
    );
  },
);
