/**
 * A contender does one VM's network. `prepare(ids)` and `finish(ids)` frame a round and are not timed. A contender that
 * measures by itself returns what it measured; of any other, the time until its promise resolves counts.
 * @typedef {{ ms: number, steps?: Record<string, number> }} Measured
 * @typedef {{ name: string, bridge: string, prepare(ids: string[]): Promise<void>, setup(id: string): Promise<Measured | void>,
 *   teardown(id: string): Promise<Measured | void>, finish(ids: string[]): Promise<void>, close(): Promise<void> }} Contender
 */
import { progress, progressDone } from './progress.mjs';
import { settle } from './settle.mjs';

async function measure(run) {
  const begin = process.hrtime.bigint();
  const measured = await run();
  return measured?.ms ?? Number(process.hrtime.bigint() - begin) / 1e6;
}

/** Runs `task` for every id, `width` at a time; milliseconds of each in the order of the ids, and of all together. */
export async function runAll(ids, width, task) {
  const samples = [];
  let next = 0;
  const worker = async () => {
    while (next < ids.length) {
      const index = next++;
      samples[index] = await measure(() => task(ids[index]));
    }
  };
  const begin = performance.now();
  await Promise.all(Array.from({ length: width }, worker));
  return { samples, wallMs: performance.now() - begin };
}

/** One contender's round: all up, all down, and quiet again. */
export async function runRound(contender, ids, width) {
  await contender.prepare(ids);
  const setup = await runAll(ids, width, (id) => contender.setup(id));
  const teardown = await runAll(ids, width, (id) => contender.teardown(id));
  await contender.finish(ids);
  await settle(contender.bridge);
  return { setup, teardown };
}

/**
 * Lets the contenders take turns (A B A B ...), each with `vms` VMs a round, `width` at a time.
 * The order turns round every round, so that neither always follows the other's clean-up.
 * @param {readonly Contender[]} contenders
 */
export async function compare(contenders, { rounds, vms, width = 1, label }) {
  const rows = new Map(contenders.map(({ name }) => [name, { setup: [], teardown: [], setupWallMs: [] }]));
  for (let round = 0; round < rounds; round++) {
    progress(`${label}: round ${round + 1} of ${rounds}`);
    const ids = Array.from({ length: vms }, (_, vm) => `${label}-${round}-${vm}`);
    for (const contender of round % 2 === 0 ? contenders : [...contenders].reverse()) {
      const { setup, teardown } = await runRound(contender, ids, width);
      const row = rows.get(contender.name);
      row.setup.push(setup.samples);
      row.setupWallMs.push(setup.wallMs);
      row.teardown.push(teardown.samples);
    }
  }
  progressDone();
  return rows;
}
