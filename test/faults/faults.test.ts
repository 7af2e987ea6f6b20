import { beforeAll, expect, it } from 'vitest';
import { backends } from '../support/backends.ts';
import { proveFaults } from '../support/faults/faults.mjs';
import { type OperationName, operationsOf } from '../support/faults/operations.mjs';
import { sample } from '../support/faults/selection.mjs';
import { installSteps } from '../support/faults/subject.mjs';
import { resetLab } from '../support/lab.ts';
import { chooseSeed } from '../support/random.mjs';
import { describeWith } from '../support/require.ts';

const cases = backends.flatMap((backend) =>
  operationsOf[backend].map((operation) => ({ backend, operation })),
);

/** Of an operation's points so many, chosen by chance; `npm run proof -- faults` takes all, in every way to fail. */
const sampled = (operation: OperationName) => (['gc', 'open'].includes(operation) ? 45 : 20);
const seed = chooseSeed();

describeWith(
  ['tun', 'shim', 'plugins'],
  `whatever call, message or plugin fails (VULCAN_SEED=${seed})`,
  () => {
    beforeAll(async () => {
      await resetLab();
      await installSteps();
    });

    it.each(cases)('nothing is left of $operation, and the error names the step: $backend', async (each) => {
      await resetLab();
      const ofVm = each.operation === 'setup' || each.operation === 'teardown';
      const whole = each.backend === 'native' && ofVm;
      const count = ofVm ? 45 : sampled(each.operation);
      const select = (points: Parameters<typeof sample>[0]) => (whole ? points : sample(points, count, seed));
      const { points, runs, missed, problems } = await proveFaults({ ...each, select });
      expect(problems).toEqual([]);
      expect(missed).toBeLessThanOrEqual(runs / 10);
      expect(runs).toBeGreaterThanOrEqual(whole ? points.length : Math.min(points.length, count));
    });
  },
);
