import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { outcomeOf } from '../../support/run.ts';

const vitest = {
  success: true,
  numPassedTests: 5,
  numFailedTests: 0,
  numPendingTests: 1,
  numTodoTests: 0,
  testResults: [{ status: 'passed', assertionResults: [{ status: 'passed' }] }],
};
const googleTest = {
  tests: 4,
  failures: 0,
  testsuites: [{ testsuite: [{ result: 'COMPLETED' }, { result: 'SKIPPED' }] }],
};

describe('the closing line', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'summary-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  function summaryOf(failedChecks: number, ...reports: unknown[]) {
    const files = reports.map((report, index) => {
      const file = join(folder, `${index}.json`);
      writeFileSync(file, typeof report === 'string' ? report : JSON.stringify(report));
      return file;
    });
    return outcomeOf(process.execPath, ['scripts/support/summary.mjs', `${failedChecks}`, ...files]);
  }

  it('adds up both languages', async () => {
    expect(await summaryOf(0, googleTest, vitest)).toMatchObject({
      exitCode: 0,
      stdout: '8 passed, 0 failed, 2 skipped\n',
    });
  });

  it.each([
    ['a check', [1, vitest]],
    ['a test', [0, { ...vitest, success: false, numFailedTests: 1 }]],
    ['a C++ test', [0, { ...googleTest, tests: 5, failures: 1 }]],
    [
      'a file that does not load',
      [0, { ...vitest, testResults: [{ status: 'failed', assertionResults: [] }] }],
    ],
    ['an error outside of any test', [0, { ...vitest, success: false }]],
    ['a run that wrote no report', [0, vitest, '']],
  ] as const)('counts %s that fails, and fails itself', async (_name, [failedChecks, ...reports]) => {
    const { exitCode, stdout } = await summaryOf(failedChecks, ...reports);
    expect(stdout).toContain(' 1 failed, ');
    expect(exitCode).toBe(1);
  });

  it('names again what has failed, and begins to say why', async () => {
    const failing = {
      ...vitest,
      success: false,
      numFailedTests: 1,
      testResults: [
        {
          name: 'test/some.test.ts',
          status: 'failed',
          assertionResults: [
            {
              status: 'failed',
              fullName: 'a thing works',
              failureMessages: ['\u001b[31mexpected 1\u001b[39m\nat x'],
            },
          ],
        },
        { name: 'test/other.test.ts', status: 'failed', message: 'does not load', assertionResults: [] },
      ],
    };
    const failingNative = {
      tests: 1,
      failures: 1,
      testsuites: [
        {
          testsuite: [
            {
              name: 'Works',
              classname: 'Thing',
              result: 'COMPLETED',
              failures: [{ failure: 'x.cc:1\nFailure' }],
            },
          ],
        },
      ],
    };
    const { stdout } = await summaryOf(0, failing, failingNative);
    expect(stdout.split('\n')).toEqual([
      'failed: test/some.test.ts > a thing works',
      '    | expected 1',
      '    | at x',
      'failed: test/other.test.ts',
      '    | does not load',
      'failed: Thing.Works',
      '    | x.cc:1',
      '    | Failure',
      '5 passed, 3 failed, 1 skipped',
      '',
    ]);
  });

  it('fails when no test ran', async () => {
    expect((await summaryOf(0, { ...vitest, numPassedTests: 0 })).exitCode).toBe(1);
  });
});
