import { delimiter, dirname } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { consoleSteps, sessionOutputs, sessionScript, shownPattern } from '../support/console-session.ts';
import { resetLab } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import { outcomeOf } from '../support/run.ts';
import { cnitool } from '../support/tools.mjs';

describeWith(['cnitool', 'debian-plugins', 'strace', 'tun'], "the CNI guide's session", () => {
  const steps = consoleSteps('lib/cni/README.md');
  let outputs: readonly string[];

  beforeAll(async () => {
    await resetLab();
    const env = { ...process.env, PATH: [process.env['PATH'], dirname(cnitool)].join(delimiter) };
    const { stdout } = await outcomeOf('bash', ['-c', sessionScript(steps)], { env });
    outputs = sessionOutputs(stdout);
  });

  it('has commands to run', () => {
    expect(steps.length).toBeGreaterThan(10);
  });

  it.each(steps.map(({ command, shown }, index) => [command.split('\n')[0], shown, index] as const))(
    'prints what is shown: %s',
    (_command, shown, index) => {
      expect(outputs[index]).toMatch(shownPattern(shown));
    },
  );

  it('ends well', () => {
    expect(outputs).toHaveLength(steps.length);
  });
});
