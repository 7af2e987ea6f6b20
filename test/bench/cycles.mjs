/** VMs that come and go without rest: each that is torn down is set up again, as fast as it goes. */
import { progress, progressDone } from './progress.mjs';
import { percentile } from './stats.mjs';

const figures = (samples) => ({ p50Ms: percentile(samples, 50), p99Ms: percentile(samples, 99) });

async function timed(samples, work) {
  const begin = performance.now();
  await work();
  samples.push(performance.now() - begin);
}

/**
 * @param {{ name: string, live: number, seconds: number, callers: number, options: object }} run
 * @returns cycles a second, and how long set-ups and teardowns took in them
 */
export async function measureCycles({ name, live, seconds, callers, options }) {
  const { NetworkManager } = await import('../../dist/index.js');
  const manager = await NetworkManager.open({ verify: 'off', ...options });
  try {
    await manager.warmUp();
    const ids = Array.from({ length: live }, (_, vm) => `${name}-${vm}`);
    for (const id of ids) await manager.setup(id);
    await manager.warmUp();
    const before = manager.stats().latency;
    const [setup, teardown] = [[], []];
    const begin = performance.now();
    const end = begin + seconds * 1000;
    // To each its own VMs: one that is kept waiting is not overtaken by another that comes round again.
    const caller = async (_value, first) => {
      for (let vm = first; performance.now() < end; vm = vm + callers < live ? vm + callers : first) {
        const id = ids[vm];
        await timed(teardown, () => manager.teardown(id));
        await timed(setup, () => manager.setup(id));
      }
    };
    const tick = setInterval(() => {
      progress(`${name}: ${Math.round((performance.now() - begin) / 1000)} s of ${seconds} s`);
    }, 1000);
    await Promise.all(Array.from({ length: callers }, caller));
    clearInterval(tick);
    progressDone();
    const tookMs = performance.now() - begin;
    const { latency } = manager.stats();
    return {
      ...{ cycles: setup.length, perSecond: (setup.length / tookMs) * 1000 },
      ...{ setup: figures(setup), teardown: figures(teardown), callers },
      recycled: latency.recycled.count - before.recycled.count,
      coldSetups: latency.setup.cold.count - before.setup.cold.count,
    };
  } finally {
    await manager.close();
  }
}

/** A line of the table. */
export const cycleFigures = (name, { perSecond, setup, teardown, cycles, recycled, coldSetups }) => ({
  churn: name,
  'cycles/s': perSecond,
  'setup p50 ms': setup.p50Ms,
  'setup p99 ms': setup.p99Ms,
  'teardown p50 ms': teardown.p50Ms,
  'teardown p99 ms': teardown.p99Ms,
  ...{ cycles, recycled, 'cold set-ups': coldSetups },
});
