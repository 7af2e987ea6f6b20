/** The manager is killed at every point of every operation, on both backends. */
import { proveCrashes } from '../support/faults/crashes.mjs';
import { operationsOf } from '../support/faults/operations.mjs';
import { crashPoints } from '../support/faults/selection.mjs';
import { installSteps } from '../support/faults/subject.mjs';

/** @param {{ quick: boolean, log: (line: string) => void }} options */
export async function prove({ quick, log }) {
  await installSteps();
  let total = 0;
  const failures = [];
  for (const backend of /** @type {const} */ (['native', 'cni'])) {
    for (const operation of operationsOf[backend]) {
      const proof = { backend, operation, thorough: !quick, log, ...(quick ? { select: crashPoints } : {}) };
      const { points, runs, problems } = await proveCrashes(proof);
      log(`${backend} ${operation}: ${points.length} points, ${runs} crashes, ${problems.length} problems`);
      for (const problem of problems) {
        log(problem);
        failures.push(`${backend} ${operation}: ${problem}`);
      }
      total += runs;
    }
  }
  if (failures.length > 0) throw new Error(failures.join('\n'));
  return `${total} crashes, each recovered from`;
}
