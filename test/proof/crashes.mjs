/** The manager is killed at every point of every operation, on both backends. */
import { proveCrashes } from '../support/faults/crashes.mjs';
import { cases, titleOf } from '../support/faults/operations.mjs';
import { crashPoints } from '../support/faults/selection.mjs';
import { installSteps } from '../support/faults/subject.mjs';

/** @param {{ quick: boolean, only: string, log: (line: string) => void }} options `only`: of titles that it is a part of */
export async function prove({ quick, only, log }) {
  const chosen = cases.filter((each) => titleOf(each).includes(only));
  if (chosen.length === 0) throw new Error(`none of ${cases.map(titleOf).join('; ')} has ${only} in it`);
  await installSteps();
  let total = 0;
  const failures = [];
  for (const each of chosen) {
    const options = { thorough: !quick, log, ...(quick ? { select: crashPoints } : {}) };
    const { points, runs, problems } = await proveCrashes(each, options);
    log(`${titleOf(each)}: ${points.length} points, ${runs} crashes, ${problems.length} problems`);
    for (const problem of problems) {
      log(problem);
      failures.push(`${titleOf(each)}: ${problem}`);
    }
    total += runs;
  }
  if (failures.length > 0) throw new Error(failures.join('\n'));
  return `${total} crashes, each recovered from`;
}
