import { beforeAll, expect, it } from 'vitest';
import { backends } from '../support/backends.ts';
import { proveCrashes } from '../support/faults/crashes.mjs';
import { crashPoints, sample } from '../support/faults/selection.mjs';
import { installSteps } from '../support/faults/subject.mjs';
import { resetLab } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';

const operations = ['setup', 'teardown', 'gc', 'open'] as const;
const cases = backends.flatMap((backend) => operations.map((operation) => ({ backend, operation })));

/** Of what changes something, one in so many; `npm run proof -- crashes` takes every point there is. */
const sampled = { cni: 8, native: 3 } as const;

describeWith(['tun', 'shim', 'plugins'], 'wherever the manager is killed', () => {
  beforeAll(async () => {
    await resetLab();
    await installSteps();
  });

  it.each(cases)('a new one brings the host back after $operation: $backend', async (each) => {
    await resetLab();
    const select = (points: Parameters<typeof sample>[0]) =>
      sample(crashPoints(points), sampled[each.backend]);
    const { runs, problems } = await proveCrashes({ ...each, select });
    expect(problems).toEqual([]);
    expect(runs).toBeGreaterThan(0);
  });
});
