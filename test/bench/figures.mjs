/** What tables show of measured rounds: those of a run that has just ended, or of its file. */
import { summarize } from './stats.mjs';

/** @typedef {Iterable<[string, { setup: number[][], teardown: number[][] }]>} Rows contender, and milliseconds by round */

/** A line for each verb. @param {Rows} rows */
export const verbFigures = (rows) =>
  [...rows].flatMap(([name, { setup, teardown }]) =>
    Object.entries({ setup, teardown }).map(([verb, rounds]) => {
      const { p50, p99, count } = summarize(rounds.flat());
      return { contender: name, verb, 'p50 ms': p50, 'p99 ms': p99, n: count };
    }),
  );

/** A line for each contender. @param {Rows} rows */
export const contenderFigures = (rows) =>
  [...rows].map(([name, { setup, teardown }]) => {
    const up = summarize(setup.flat());
    const down = summarize(teardown.flat());
    return {
      contender: name,
      'setup p50 ms': up.p50,
      'setup p99 ms': up.p99,
      'teardown p50 ms': down.p50,
      'teardown p99 ms': down.p99,
      n: up.count,
    };
  });
