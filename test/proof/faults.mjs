/** Every point of every operation fails in every way that it can, on both backends. */
import { proveFaults } from '../support/faults/faults.mjs';
import { operationsOf } from '../support/faults/operations.mjs';
import { installSteps } from '../support/faults/subject.mjs';

/** @param {{ quick: boolean, log: (line: string) => void }} options */
export async function prove({ quick, log }) {
  await installSteps();
  let total = 0;
  const failures = [];
  for (const backend of /** @type {const} */ (['native', 'cni'])) {
    for (const operation of operationsOf[backend]) {
      const { points, runs, problems } = await proveFaults({ backend, operation, thorough: !quick, log });
      log(`${backend} ${operation}: ${points.length} points, ${runs} faults, ${problems.length} problems`);
      for (const problem of problems) {
        log(problem);
        failures.push(`${backend} ${operation}: ${problem}`);
      }
      total += runs;
    }
  }
  if (failures.length > 0) throw new Error(failures.join('\n'));
  return `${total} faults, each undone`;
}
