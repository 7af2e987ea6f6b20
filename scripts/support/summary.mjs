/**
 * The end of scripts/test: `node summary.mjs FAILED_CHECKS RESULTS.json...` names again what has failed, for a log of
 * which only the end is kept, and closes with the counts. Fails when anything has.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

const [failedChecks = '0', ...files] = process.argv.slice(2);

/** Of a failure's text, so much is repeated. */
const LINES = 12;

/** GoogleTest's results. */
function fromGoogleTest({ tests, failures, testsuites }) {
  const all = testsuites.flatMap(({ testsuite }) => testsuite);
  const skipped = all.filter(({ result }) => result === 'SKIPPED').length;
  const failed = all
    .filter((test) => test.failures?.length > 0)
    .map((test) => ({
      name: `${test.classname}.${test.name}`,
      why: test.failures.map(({ failure }) => failure).join('\n'),
    }));
  return { counts: { passed: tests - failures - skipped, failed: failures, skipped }, failed };
}

/** What vitest's JSON reporter writes. */
function fromVitest({ success, testResults, numFailedTests, numPassedTests, numPendingTests, numTodoTests }) {
  const failedIn = ({ assertionResults }) => assertionResults.filter(({ status }) => status === 'failed');
  const tests = testResults.flatMap((file) =>
    failedIn(file).map(({ fullName, failureMessages = [] }) => ({
      name: `${file.name} > ${fullName}`,
      why: failureMessages.join('\n'),
    })),
  );
  const notLoaded = testResults
    .filter((file) => file.status === 'failed' && failedIn(file).length === 0)
    .map(({ name, message = '' }) => ({ name, why: message }));
  const inFiles = numFailedTests + notLoaded.length;
  const outside = inFiles === 0 && !success ? [{ name: 'an error outside of any test', why: '' }] : [];
  return {
    counts: {
      passed: numPassedTests,
      failed: inFiles + outside.length,
      skipped: numPendingTests + numTodoTests,
    },
    failed: [...tests, ...notLoaded, ...outside],
  };
}

function outcomeOf(file) {
  let results;
  try {
    results = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    const died = { name: basename(file, '.json'), why: 'the run died before it could write its results' };
    return { counts: { passed: 0, failed: 1, skipped: 0 }, failed: [died] };
  }
  return results.testsuites ? fromGoogleTest(results) : fromVitest(results);
}

const total = { passed: 0, failed: Number(failedChecks), skipped: 0 };
for (const { counts, failed } of files.map(outcomeOf)) {
  for (const key of Object.keys(total)) total[key] += counts[key];
  for (const { name, why } of failed) {
    const lines = stripVTControlCharacters(why).split('\n').slice(0, LINES);
    console.log([`failed: ${name}`, ...lines].join('\n    | '));
  }
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
