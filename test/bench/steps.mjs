/** Where the time of a set-up goes, as a contender that measures its steps says. */
import { settle } from './settle.mjs';
import { median } from './stats.mjs';

/** Milliseconds of each step, p50, of `vms` set-ups one after another. @param {import('./rounds.mjs').Contender} contender */
export async function stepFigures(contender, vms) {
  const ids = Array.from({ length: vms }, (_, vm) => `steps-${vm}`);
  await contender.prepare(ids);
  const measured = [];
  for (const id of ids) measured.push((await contender.setup(id)).steps);
  for (const id of ids) await contender.teardown(id);
  await contender.finish(ids);
  await settle(contender.bridge);
  const names = Object.keys(measured[0]);
  return Object.fromEntries(names.map((name) => [name, median(measured.map((steps) => steps[name])) / 1000]));
}
