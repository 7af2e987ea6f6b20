import { readFile } from 'node:fs/promises';
import { beforeAll, expect, it } from 'vitest';
import { markEndsFlag, traceFlag } from '../support/faults/control.mjs';
import {
  type Case,
  type Operation,
  operations,
  optionsOf,
  someCases,
} from '../support/faults/operations.mjs';
import { parsePoints } from '../support/faults/points.mjs';
import { callsBesidePoints } from '../support/faults/strace.mjs';
import { installSteps, Subject } from '../support/faults/subject.mjs';
import { resetLab } from '../support/lab.ts';
import { chooseSeed } from '../support/random.mjs';
import { describeWith } from '../support/require.ts';

const seed = chooseSeed();
const output = '/run/lock/strace.txt';

/** The lines of its trace, in a process of its own that strace watches. */
async function traceOf(each: Case): Promise<readonly string[]> {
  const operation: Operation = operations[each.operation];
  const options = optionsOf(each);
  const subject = new Subject(['strace', '-f', '-e', 'signal=none', '-s', '64', '-o', output]);
  await operation.begin(subject, options);
  await operation.before(subject, options, 'vm-1');
  if (operation.opened === 'each run') await subject.must('open', options);
  await operation.ready(subject, 'vm-1');
  const lines = await subject.traced(
    operation,
    operation.argument(options, 'vm-1'),
    traceFlag | markEndsFlag,
  );
  await subject.end();
  return lines;
}

describeWith(['tun', 'shim', 'plugins', 'strace'], `the list of points (VULCAN_SEED=${seed})`, () => {
  beforeAll(async () => {
    await resetLab();
    await installSteps();
  });

  it.each(someCases(seed))(
    'has every system call that strace sees of $operation: $backend, $layout',
    async (each) => {
      await resetLab();
      const lines = await traceOf(each);
      const { beside, marks, threads } = callsBesidePoints(await readFile(output, 'utf8'));
      expect(beside).toEqual([]);
      expect(threads).toBeGreaterThan(0);
      expect(marks).toBeGreaterThanOrEqual(parsePoints(lines).filter(({ call }) => call !== 'plugin').length);
    },
  );
});
