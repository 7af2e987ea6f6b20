/** Every point of every operation fails in every way that it can, on both backends. */
import { proveFaults } from '../support/faults/faults.mjs';
import { installSteps } from '../support/faults/subject.mjs';

/** @param {{ quick: boolean, log: (line: string) => void }} options */
export async function prove({ quick, log }) {
  await installSteps();
  let total = 0;
  for (const backend of /** @type {const} */ (['native', 'cni'])) {
    for (const operation of /** @type {const} */ (['setup', 'teardown', 'gc', 'open'])) {
      const { points, runs, problems } = await proveFaults({ backend, operation, thorough: !quick, log });
      log(`${backend} ${operation}: ${points.length} points, ${runs} faults, ${problems.length} problems`);
      if (problems.length > 0) throw new Error(problems.join('\n'));
      total += runs;
    }
  }
  return `${total} faults, each undone`;
}
