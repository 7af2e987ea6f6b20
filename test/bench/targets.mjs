/** What the native backend must reach, beside the others of the same run. */
import { CHAIN, FLOOR, GO, OURS, SCRIPT } from './contenders/all.mjs';
import { growthRatio, rateRatio } from './growth.mjs';
import { atLeast, atMost } from './report.mjs';
import { medianRatio, percentile } from './stats.mjs';

const p99 = (rounds) => percentile(rounds.flat(), 99);

/** Rows of those contenders that took part: without its rival a target can't be judged. */
export function setupTargets(rows, growth, { callers, memory }) {
  const ours = rows.get(OURS);
  const ratio = (name) => medianRatio(rows.get(name).setup, ours.setup);
  const many = growth.get(OURS)[0].length;
  const targets = [
    [FLOOR, () => atMost('setup p50: ours / floor', 1 / ratio(FLOOR), 1.15)],
    [FLOOR, () => atMost('setup p99: ours / floor', p99(ours.setup) / p99(rows.get(FLOOR).setup), 1.5)],
    [CHAIN, () => atLeast('setup p50: chain / ours', ratio(CHAIN), 15)],
    [SCRIPT, () => atLeast('setup p50: script / ours', ratio(SCRIPT), 5)],
    [GO, () => atLeast('setup p50: Go / ours', ratio(GO), 1.15)],
    [
      GO,
      () =>
        atLeast(
          `set-ups a second over ${many} VMs: ours / Go`,
          rateRatio(growth.get(OURS), growth.get(GO)),
          2,
        ),
    ],
    [OURS, () => atMost(`VM ${many} / VM 50, p50`, growthRatio(growth.get(OURS), 50), 1.6)],
    [OURS, () => atLeast(`set-ups a second: ${callers.callers} callers / one`, callers.ratio, 0.95)],
    [OURS, () => atMost('teardown p50, ms', percentile(ours.teardown.flat(), 50), 0.3)],
    [
      OURS,
      () =>
        atMost(`event loop delay p99, ms, ${callers.callers} set-ups in flight`, callers.loopDelayP99Ms, 2),
    ],
    [OURS, () => atMost('resident memory over the cycles: last tenth / second tenth', memory.ratio, 1.02)],
  ];
  return targets.filter(([rival]) => rows.has(rival)).map(([, judge]) => judge());
}
