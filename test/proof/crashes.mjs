/** The manager is killed at every point of every operation, on both backends. */
import { proveCrashes } from '../support/faults/crashes.mjs';
import { crashPoints } from '../support/faults/selection.mjs';
import { installSteps } from '../support/faults/subject.mjs';

/** @param {{ quick: boolean, log: (line: string) => void }} options */
export async function prove({ quick, log }) {
  await installSteps();
  let total = 0;
  for (const backend of /** @type {const} */ (['native', 'cni'])) {
    for (const operation of /** @type {const} */ (['setup', 'teardown', 'gc', 'open'])) {
      const proof = { backend, operation, log, ...(quick ? { select: crashPoints } : {}) };
      const { points, runs, problems } = await proveCrashes(proof);
      log(`${backend} ${operation}: ${points.length} points, ${runs} crashes, ${problems.length} problems`);
      if (problems.length > 0) throw new Error(problems.join('\n'));
      total += runs;
    }
  }
  return `${total} crashes, each recovered from`;
}
