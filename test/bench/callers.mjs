/** Many callers at once: the rate must hold, and the event loop must stay free. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { runAll } from './rounds.mjs';
import { settle } from './settle.mjs';
import { median } from './stats.mjs';

const RESOLUTION_MS = 1;
const CALLERS = 64;

async function round(ours, ids, width, histogram) {
  histogram?.enable();
  const { wallMs } = await runAll(ids, width, (id) => ours.setup(id));
  histogram?.disable();
  await runAll(ids, 1, (id) => ours.teardown(id));
  await settle(ours.bridge);
  return (ids.length / wallMs) * 1000;
}

/** Set-ups a second of one caller and of 64, in turns; the event loop's delay while 64 are in flight. */
export async function measureCallers(ours, { rounds, vms }) {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  const one = [];
  const many = [];
  for (let turn = 0; turn < rounds; turn++) {
    const ids = (who) => Array.from({ length: vms }, (_, vm) => `${who}-${turn}-${vm}`);
    const alone = async () => one.push(await round(ours, ids('one'), 1, null));
    const together = async () => many.push(await round(ours, ids('many'), CALLERS, histogram));
    for (const turnOf of turn % 2 === 0 ? [alone, together] : [together, alone]) await turnOf();
  }
  return {
    callers: CALLERS,
    onePerSecond: median(one),
    manyPerSecond: median(many),
    ratio: median(many.map((rate, turn) => rate / one[turn])),
    // The histogram counts the timer's own period too.
    loopDelayP99Ms: Math.max(0, histogram.percentile(99) / 1e6 - RESOLUTION_MS),
  };
}
