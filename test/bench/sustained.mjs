/** Churn without rest: some VMs live, each torn down and set up again as fast as it goes. */
import { progress, progressDone } from './progress.mjs';
import { summarize } from './stats.mjs';

async function timed(samples, work) {
  const begin = performance.now();
  await work();
  samples.push(performance.now() - begin);
}

/** The same that the Go peer does within itself. @returns milliseconds of each set-up and each teardown */
export async function churnInProcess(contender, count, forMs, prefix) {
  const ids = Array.from({ length: count }, (_, vm) => `${prefix}-${vm}`);
  await contender.prepare(ids);
  for (const id of ids) await contender.setup(id);
  const setups = [];
  const teardowns = [];
  const end = performance.now() + forMs;
  for (let next = 0; performance.now() < end; next = (next + 1) % count) {
    const id = ids[next];
    await timed(teardowns, () => contender.teardown(id));
    await timed(setups, () => contender.setup(id));
  }
  for (const id of ids) await contender.teardown(id);
  return { setups, teardowns };
}

/** @param {readonly { name: string, churn(count: number, forMs: number, prefix: string): Promise<object> }[]} contenders */
export async function measureSustained(contenders, { live, forMs }) {
  const rows = [];
  for (const contender of contenders) {
    progress(`churn: ${contender.name}, ${forMs / 1000} s`);
    const { setups, teardowns } = await contender.churn(live, forMs, 'churn');
    const up = summarize(setups);
    const down = summarize(teardowns);
    rows.push({
      contender: contender.name,
      'cycles a second': (setups.length / forMs) * 1000,
      'setup p50 ms': up.p50,
      'setup p99 ms': up.p99,
      'teardown p50 ms': down.p50,
      'teardown p99 ms': down.p99,
      n: up.count,
    });
  }
  progressDone();
  return rows;
}
