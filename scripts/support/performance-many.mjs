/** Sections of the README on warm pools and on many VMs. */
import { contenderFigures } from '../../test/bench/figures.mjs';
import { tableOf } from '../../test/bench/report.mjs';
import { charts, command, targetsTable } from './performance-parts.mjs';

/** Other tables of the run, by their titles. */
const titled = (tables) => Object.entries(tables).flatMap(([title, rows]) => [`${title}:\n`, tableOf(rows)]);

export function churnSection(directory, results) {
  const { machine, rows, tables = {} } = results;
  return [
    '### Warm pools and churn\n',
    command(
      ...['churn', machine],
      'contenders took turns, except in the churn, in which ours ran first, and in half of the judged bursts, in which ours ran alone',
    ),
    charts(directory, [
      ['churn.svg', 'Set-up of one network from a pool, of its own, and by the chain: p50 and p99'],
    ]),
    'Slots that setups have taken are replaced when a series of setups, or of teardowns, pauses, after 50 ms at the latest: so after a round of 100, but continuously in the churn. Rows marked *later* were measured after V8 had compiled the hot path: after our part of the churn. `Go pool` is the Go program of the first benchmark with a pool of two channels.\n',
    tableOf(contenderFigures(Object.entries(rows))),
    ...titled(tables),
    targetsTable(directory, 'churn', results),
  ];
}

export function scaleSection(directory, results) {
  const { machine, rounds, vms, bulkVms, growth, live, mounts, bulk } = results;
  const chain = growth.at(-1).points.at(-1);
  return [
    '### Many VMs\n',
    command('scale', machine, 'layouts took turns, and the chain went once, after them'),
    `Up to ${vms} VMs at once, ${rounds} rounds: the table has medians. For times, the longest is judged; for memory and for the ratio of two VMs, the median of the rounds. One bridge has 1,023 ports. The chain went to ${chain.n} VMs, once: by then it takes ${chain.value.toFixed(1)} ms for each, and it has only one bridge.\n`,
    charts(directory, [
      ['scale.svg', 'Cost of a set-up against the number of VMs, for each layout and the chain'],
    ]),
    tableOf(live),
    'What the names of namespaces, which are mounts, add to the creation of a mount namespace (`unshare -m true`, its start included). Slots of a pool have no name:\n',
    tableOf(mounts),
    `${bulkVms} VMs torn down at once, in two ways. \`close\` and \`gc\` use the first:\n`,
    tableOf(bulk),
    targetsTable(directory, 'scale', results),
  ];
}
