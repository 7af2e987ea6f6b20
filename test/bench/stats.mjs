/** Percentiles and ratios of measured milliseconds. */

/** The nearest-rank percentile of `samples` (any order); `p` from 0 to 100. */
export function percentile(samples, p) {
  if (samples.length === 0) throw new RangeError('no samples');
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((p / 100) * sorted.length) - 1))];
}

export const median = (samples) => percentile(samples, 50);

export const sum = (samples) => samples.reduce((total, sample) => total + sample, 0);

export function summarize(samples) {
  return {
    count: samples.length,
    p50: percentile(samples, 50),
    p99: percentile(samples, 99),
    min: percentile(samples, 0),
    max: percentile(samples, 100),
  };
}

/** The median of the ratios a/b, round by round: what drifts between rounds cancels out. */
export function medianRatio(roundsA, roundsB, of = median) {
  return median(roundsA.map((samples, round) => of(samples) / of(roundsB[round])));
}

/** The median of each run of `size` samples at the same place of every round: how a cost grows along a round. */
export function along(rounds, size) {
  const points = [];
  for (let begin = 0; begin + size <= rounds[0].length; begin += size) {
    points.push({
      n: begin + size,
      value: median(rounds.flatMap((samples) => samples.slice(begin, begin + size))),
    });
  }
  return points;
}
