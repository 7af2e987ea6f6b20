/** The closing line of scripts/test: `node summary.mjs FAILED_CHECKS RESULTS.json...`; fails when anything has. */
import { readFileSync } from 'node:fs';

const [failedChecks = '0', ...files] = process.argv.slice(2);

/** GoogleTest's JSON, or vitest's. */
function countsOf(file) {
  let results;
  try {
    results = JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }; // the run died before it could write its results
  }
  if (results.testsuites) {
    const skipped = results.testsuites
      .flatMap(({ testsuite }) => testsuite)
      .filter(({ result }) => result === 'SKIPPED').length;
    const { tests, failures } = results;
    return { passed: tests - failures - skipped, failed: failures, skipped };
  }
  const files = results.testResults.filter(({ status, assertionResults }) => {
    return status === 'failed' && assertionResults.every((test) => test.status !== 'failed');
  });
  const failed = results.numFailedTests + files.length;
  return {
    passed: results.numPassedTests,
    failed: failed === 0 && !results.success ? 1 : failed, // an error outside of any test
    skipped: results.numPendingTests + results.numTodoTests,
  };
}

const total = { passed: 0, failed: Number(failedChecks), skipped: 0 };
for (const counts of files.map(countsOf)) {
  for (const key of Object.keys(total)) total[key] += counts[key];
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
