import { readFile } from 'node:fs/promises';
import { beforeAll, expect, it } from 'vitest';
import { backends } from '../support/backends.ts';
import { markEndsFlag, traceFlag } from '../support/faults/control.mjs';
import {
  type Operation,
  type OperationName,
  operations,
  operationsOf,
  optionsOf,
} from '../support/faults/operations.mjs';
import { parsePoints } from '../support/faults/points.mjs';
import { callsBesidePoints } from '../support/faults/strace.mjs';
import { installSteps, Subject } from '../support/faults/subject.mjs';
import { resetLab } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';

const output = '/run/lock/strace.txt';
const cases = backends.flatMap((backend) =>
  operationsOf[backend].map((operation) => ({ backend, operation })),
);

/** The lines of its trace, in a process of its own that strace watches. */
async function traceOf(backend: 'cni' | 'native', name: OperationName): Promise<readonly string[]> {
  const operation: Operation = operations[name];
  const options = optionsOf(backend, name);
  const subject = new Subject(['strace', '-f', '-e', 'signal=none', '-s', '64', '-o', output]);
  await operation.begin(subject, options);
  await operation.before(subject, options, 'vm-1');
  if (operation.opened === 'each run') await subject.must('open', options);
  await operation.ready(subject);
  const lines = await subject.traced(
    operation,
    operation.argument(options, 'vm-1'),
    traceFlag | markEndsFlag,
  );
  await subject.end();
  return lines;
}

describeWith(['tun', 'shim', 'plugins', 'strace'], 'the list of points', () => {
  beforeAll(async () => {
    await resetLab();
    await installSteps();
  });

  it.each(cases)('has every system call that strace sees of $operation: $backend', async (each) => {
    await resetLab();
    const lines = await traceOf(each.backend, each.operation);
    const { beside, marks, threads } = callsBesidePoints(await readFile(output, 'utf8'));
    expect(beside).toEqual([]);
    expect(threads).toBeGreaterThan(0);
    expect(marks).toBeGreaterThanOrEqual(parsePoints(lines).filter(({ call }) => call !== 'plugin').length);
  });
});
