import { readFile } from 'node:fs/promises';
import { beforeAll, expect, it } from 'vitest';
import { backends } from '../support/backends.ts';
import { markEndsFlag, traceFlag } from '../support/faults/control.mjs';
import { parsePoints } from '../support/faults/points.mjs';
import { callsBesidePoints } from '../support/faults/strace.mjs';
import { installSteps, optionsOf, Subject } from '../support/faults/subject.mjs';
import { resetLab } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';

const output = '/run/lock/strace.txt';
const verbs = ['setup', 'teardown'] as const;
const cases = backends.flatMap((backend) => verbs.map((verb) => ({ backend, verb })));

describeWith(['tun', 'shim', 'plugins', 'strace'], 'the list of points', () => {
  beforeAll(async () => {
    await resetLab();
    await installSteps();
  });

  it.each(cases)('has every system call that strace sees of $verb: $backend', async ({ backend, verb }) => {
    await resetLab();
    const subject = new Subject(['strace', '-f', '-e', 'signal=none', '-s', '64', '-o', output]);
    await subject.must('open', optionsOf(backend));
    if (verb === 'teardown') await subject.must('setup', 'vm-1');
    const lines = await subject.traced(verb, 'vm-1', traceFlag | markEndsFlag);
    await subject.end();
    const { beside, marks, threads } = callsBesidePoints(await readFile(output, 'utf8'));
    expect(beside).toEqual([]);
    expect(threads).toBeGreaterThan(0);
    expect(marks).toBeGreaterThanOrEqual(parsePoints(lines).filter(({ call }) => call !== 'plugin').length);
  });
});
