import { beforeAll, expect, it } from 'vitest';
import { backends } from '../support/backends.ts';
import { proveFaults } from '../support/faults/faults.mjs';
import { sample } from '../support/faults/selection.mjs';
import { installSteps } from '../support/faults/subject.mjs';
import { resetLab } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';

const operations = ['setup', 'teardown', 'gc', 'open'] as const;
const cases = backends.flatMap((backend) => operations.map((operation) => ({ backend, operation })));

/** One point in so many; `npm run proof -- faults` takes every one, in every way that it can fail. */
const sampled = { setup: 1, teardown: 1, gc: 6, open: 8 } as const;

describeWith(['tun', 'shim', 'plugins'], 'whatever call, message or plugin fails', () => {
  beforeAll(async () => {
    await resetLab();
    await installSteps();
  });

  it.each(cases)('nothing is left of $operation, and the error names the step: $backend', async (each) => {
    await resetLab();
    const select = (points: Parameters<typeof sample>[0]) => sample(points, sampled[each.operation]);
    const { points, runs, missed, problems } = await proveFaults({ ...each, select });
    expect(problems).toEqual([]);
    expect(missed).toBeLessThanOrEqual(runs / 10);
    expect(runs).toBeGreaterThanOrEqual(Math.floor(points.length / sampled[each.operation]));
  });
});
