import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resetLab } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import { outcomeOf, run } from '../support/run.ts';
import { nodes } from '../support/tools.mjs';
import { plainEnvironment, root } from './npm.ts';

const addon = join(root, 'build/Release/vulcan_net.node');

/**
 * What crashes and others have done to a host, what plugins answer, and which options are refused: that takes long, and is no matter of
 * Node's version. `npm run proof -- nodes` leaves nothing out.
 */
const ofTheHost = [
  ...['recovery', 'repair', 'crash-table'],
  ...['bridge', 'disasters', 'flushed', 'forgotten', 'lost-directories'],
  ...['bad-options', 'bad-plugins', 'shared-ids'],
].flatMap((name) => ['--exclude', `test/contract/${name}.test.ts`]);
const leftOut = process.env['VULCAN_NODES'] === 'all' ? [] : ofTheHost;

/** Of vitest's JSON reporter, what is looked at. */
interface Results {
  readonly numPassedTests: number;
  readonly testResults: readonly {
    readonly assertionResults: readonly {
      readonly status: string;
      readonly fullName: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

describeWith(['lab', 'node-lts', 'node-current'], 'the addon, built once', () => {
  describe.each(Object.entries(nodes))('under %s Node', (_name, node) => {
    let folder: string;

    beforeEach(async () => {
      await resetLab();
      folder = await mkdtemp(join(tmpdir(), 'vulcan-node-'));
    });
    afterEach(() => rm(folder, { recursive: true }));

    it('is another Node than the one that runs this test, and loads the addon', async () => {
      const script = `require(${JSON.stringify(addon)}); console.log(process.versions.node)`;
      const version = await run(node, ['-e', script], { env: plainEnvironment() });
      expect(version.trim()).not.toBe(process.versions.node);
    });

    it('passes the contract suite', async () => {
      const report = join(folder, 'report.json');
      const args = ['run', '--config', 'test/vitest.config.ts', '--project', 'contract', ...leftOut];
      const { exitCode, stdout, stderr } = await outcomeOf(
        node,
        ['node_modules/vitest/vitest.mjs', ...args, '--reporter=json', `--outputFile.json=${report}`],
        { cwd: root, env: plainEnvironment({ VULCAN_LAYOUTS: 'bridge' }), maxBuffer: 64 * 1024 * 1024 },
      );
      const results = JSON.parse(await readFile(report, 'utf8')) as Results;
      const tests = results.testResults.flatMap(({ assertionResults }) => assertionResults);
      const failed = tests.filter(({ status }) => status === 'failed');
      const reasons = failed.flatMap(({ fullName, failureMessages = [] }) => [fullName, ...failureMessages]);
      expect(failed.length, reasons.join('\n')).toBe(0);
      expect(exitCode, `${stdout}${stderr}`).toBe(0);
      expect(results).toMatchObject({ numFailedTests: 0, success: true });
      expect(results.numPassedTests).toBeGreaterThan(0);
    });
  });
});
