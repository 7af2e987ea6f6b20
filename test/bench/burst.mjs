/** As many set-ups at once as the pool has slots; and what that does to the event loop. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { runAll } from './rounds.mjs';
import { percentile } from './stats.mjs';

const RESOLUTION_MS = 1;

/** @returns how long each round took until all were done, and the event loop's delay (p99) in the worst of them */
export async function measureBurst(pool, { rounds, vms }) {
  const wallMs = [];
  const delayMs = [];
  const before = pool.warm();
  for (let round = 0; round < rounds; round++) {
    const ids = Array.from({ length: vms }, (_, vm) => `burst-${round}-${vm}`);
    await pool.prepare();
    // One of its own for each round: it would count the time between two of them as a delay.
    const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
    histogram.enable();
    wallMs.push((await runAll(ids, vms, (id) => pool.setup(id))).wallMs);
    histogram.disable();
    // It counts the timer's own period too.
    delayMs.push(Math.max(0, histogram.percentile(99) / 1e6 - RESOLUTION_MS));
    await runAll(ids, 1, (id) => pool.teardown(id));
  }
  return {
    vms,
    wallMs,
    longestMs: percentile(wallMs, 100),
    medianMs: percentile(wallMs, 50),
    coldSetups: rounds * vms - (pool.warm() - before),
    loopDelayP99Ms: percentile(delayMs, 100),
  };
}
