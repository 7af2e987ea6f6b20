/**
 * A contender does one VM's network: `setup(id)`, `teardown(id)`; `prepare(ids)` and `finish(ids)` frame a round and are not timed.
 * @typedef {{ name: string, prepare(ids: string[]): Promise<void>, setup(id: string): Promise<void>,
 *   teardown(id: string): Promise<void>, finish(ids: string[]): Promise<void>, close(): Promise<void> }} Contender
 */

async function timed(run) {
  const begin = process.hrtime.bigint();
  await run();
  return Number(process.hrtime.bigint() - begin) / 1e6;
}

/** Runs `task` for every id, `width` at a time; milliseconds of each, and of all together. */
async function runAll(ids, width, task) {
  const queue = [...ids];
  const samples = [];
  const worker = async () => {
    for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
      samples.push(await timed(() => task(id)));
    }
  };
  const wallMs = await timed(() => Promise.all(Array.from({ length: width }, worker)));
  return { samples, wallMs };
}

/**
 * Lets the contenders take turns (A B A B ...), each with `vms` VMs a round, `width` at a time.
 * The order turns round every round, so that neither always follows the other's clean-up.
 * @param {Contender[]} contenders
 */
export async function compare(contenders, { rounds, vms, width, onRound }) {
  const rows = new Map(contenders.map(({ name }) => [name, { setup: [], teardown: [], setupWallMs: [] }]));
  for (let round = 0; round < rounds; round++) {
    for (const contender of round % 2 === 0 ? contenders : [...contenders].reverse()) {
      const ids = Array.from({ length: vms }, (_, vm) => `bench-${round}-${vm}`);
      const row = rows.get(contender.name);
      await contender.prepare(ids);
      const up = await runAll(ids, width, (id) => contender.setup(id));
      const down = await runAll(ids, width, (id) => contender.teardown(id));
      await contender.finish(ids);
      row.setup.push(up.samples);
      row.setupWallMs.push(up.wallMs);
      row.teardown.push(down.samples);
    }
    onRound?.(round + 1, rounds);
  }
  return rows;
}
