/** Every point of every operation fails in every way that it can, on both backends. */
import { mostMissed, proveFaults } from '../support/faults/faults.mjs';
import { cases, titleOf } from '../support/faults/operations.mjs';
import { installSteps } from '../support/faults/subject.mjs';

/** @param {{ quick: boolean, only: string, log: (line: string) => void }} options `only`: of titles that it is a part of */
export async function prove({ quick, only, log }) {
  const chosen = cases.filter((each) => titleOf(each).includes(only));
  if (chosen.length === 0) throw new Error(`none of ${cases.map(titleOf).join('; ')} has ${only} in it`);
  await installSteps();
  let total = 0;
  const failures = [];
  for (const each of chosen) {
    const { points, runs, missed, problems } = await proveFaults(each, { thorough: !quick, log });
    const missing = `${missed} of them missed by chance`;
    log(`${titleOf(each)}: ${points.length} points, ${runs} faults, ${missing}, ${problems.length} problems`);
    if (missed > mostMissed(runs)) failures.push(`${titleOf(each)}: ${missing}`);
    for (const problem of problems) {
      log(problem);
      failures.push(`${titleOf(each)}: ${problem}`);
    }
    total += runs;
  }
  if (failures.length > 0) throw new Error(failures.join('\n'));
  return `${total} faults, each undone`;
}
