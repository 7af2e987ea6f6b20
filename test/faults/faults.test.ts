import { beforeAll, expect, it } from 'vitest';
import { backends } from '../support/backends.ts';
import { proveFaults } from '../support/faults/faults.mjs';
import { sample } from '../support/faults/selection.mjs';
import { installSteps } from '../support/faults/subject.mjs';
import { resetLab } from '../support/lab.ts';
import { chooseSeed } from '../support/random.mjs';
import { describeWith } from '../support/require.ts';

const operations = ['setup', 'teardown', 'gc', 'open'] as const;
const cases = backends.flatMap((backend) => operations.map((operation) => ({ backend, operation })));

/** Of the operations of many points so many, chosen by chance; `npm run proof -- faults` takes all, in every way to fail. */
const sampled = 45;
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
      const whole =
        each.backend === 'native' && (each.operation === 'setup' || each.operation === 'teardown');
      const select = (points: Parameters<typeof sample>[0]) =>
        whole ? points : sample(points, sampled, seed);
      const { points, runs, missed, problems } = await proveFaults({ ...each, select });
      expect(problems).toEqual([]);
      expect(missed).toBeLessThanOrEqual(runs / 10);
      expect(runs).toBeGreaterThanOrEqual(whole ? points.length : sampled);
    });
  },
);
