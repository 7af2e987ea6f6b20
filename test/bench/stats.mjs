/** Percentiles and ratios of measured milliseconds. */

/** The nearest-rank percentile of `samples` (any order); `p` from 0 to 100. */
export function percentile(samples, p) {
  if (samples.length === 0) throw new RangeError('no samples');
  const sorted = [...samples].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil((p / 100) * sorted.length) - 1))];
}

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
export function medianRatio(roundsA, roundsB, p) {
  const ratios = roundsA.map((samples, round) => percentile(samples, p) / percentile(roundsB[round], p));
  return percentile(ratios, 50);
}
