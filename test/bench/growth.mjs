/** What the n-th VM of one bridge costs. */
import { compare } from './rounds.mjs';
import { median, medianRatio, sum } from './stats.mjs';

/** The VMs that stand for the n-th: 25 up to it. */
const WINDOW = 25;

const near = (samples, n) => median(samples.slice(n - WINDOW, n));

/** Set-ups a second of a whole round, one after another. */
export const rate = (samples) => (samples.length / sum(samples)) * 1000;

/** What the last VM costs, in costs of the n-th. */
export const growthRatio = (rounds, n) =>
  median(rounds.map((samples) => near(samples, samples.length) / near(samples, n)));

export const rateRatio = (ours, theirs) => medianRatio(ours, theirs, rate);

/** `slow` contenders go one round: they are there for the chart. */
export async function measureGrowth(contenders, { slow, rounds, vms }) {
  const quick = contenders.filter(({ name }) => !slow.includes(name));
  const others = contenders.filter(({ name }) => slow.includes(name));
  const rows = await compare(quick, { rounds, vms, label: 'many' });
  const slowRows = others.length > 0 ? await compare(others, { rounds: 1, vms, label: 'many-slow' }) : [];
  return new Map([...rows, ...slowRows].map(([name, { setup }]) => [name, setup]));
}
