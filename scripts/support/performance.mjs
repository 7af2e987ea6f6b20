/** The README's section on performance, from the files that the benchmark writes. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { contenderFigures, verbFigures } from '../../test/bench/figures.mjs';
import { tableOf } from '../../test/bench/report.mjs';
import { churnSection, scaleSection } from './performance-many.mjs';
import { charts, command, targetsTable } from './performance-parts.mjs';

const ms = (value) => `${value.toFixed(2)} ms`;

/** Who is who, and what each does within its time. */
function contendersNote({ floorSteps }) {
  const share = floorSteps
    ? ` (for the floor ${ms(floorSteps.namespace)} and ${ms(floorSteps.tap)} at p50)`
    : '';
  return [
    'Targets (`must be`) are our own, set before the measurement; a missed one stays in its table. Except for cnitool and the plugins, contenders are programs of this project; all except the chain leave the same result:\n',
    '- `floor (C)` (`test/bench/floor`) does every kernel and file operation of a set-up once, on one thread. It and vulcan-net release locks and sockets after the result is returned.',
    '- `Go` (`test/bench/peers/go`) does the same with the libraries vishvananda/netlink and google/nftables.',
    '- `script` (`test/bench/peers/script`) runs `ip`, `tc` and `nft`, each with as many lines as it needs, from one long-running shell.',
    '- `chain` is cnitool with the newest `bridge` and `host-local` and our `tc-redirect-tap`. It gets a ready namespace, whose creation is not included in its time, and has no anti-spoofing.\n',
    `For floor, Go and script, making the namespace and the TAP is included${share}. vulcan-net makes a namespace ahead, with a TAP of the name that the last two setups wanted; a separate thread makes the next one when a setup’s links are up.\n`,
  ].join('\n');
}

function setupSection(directory, results) {
  const { machine, rows, manyVms, missing, callers } = results;
  const absent = missing.map(({ contender, reason }) => `Not measured: ${contender} (${reason}).\n`);
  return [
    '### The native backend, beside the kernel and others\n',
    command(
      ...['setup', machine],
      'contenders took turns, except for what 1,000 VMs cost with the chain and the script: these ran once, after the others. Ratios of p50 are medians of those of the rounds, not quotients of what the table says',
    ),
    contendersNote(results),
    charts(directory, [
      ['setup.svg', 'Cold set-up of one network: p50 and p99 of each contender'],
      ['setup-growth.svg', 'Cost of a set-up against the number of VMs on its bridge'],
    ]),
    tableOf(contenderFigures(Object.entries(rows))),
    ...(manyVms ? [tableOf(manyVms)] : []),
    ...(callers
      ? [
          `One caller: ${Math.round(callers.onePerSecond)} set-ups a second; ${callers.callers} at once: ${Math.round(callers.manyPerSecond)}.\n`,
        ]
      : []),
    ...absent,
    ...(results.targets ? [targetsTable(directory, 'setup', results)] : []),
  ];
}

function chainSection(directory, results) {
  const { machine, results: tables, delay } = results;
  const measured = Object.entries(tables).map(
    ([title, rows]) => `${title}:\n\n${tableOf(verbFigures(Object.entries(rows)))}`,
  );
  const idle = `The same process's event loop, doing nothing on the same machine: ${delay.idleP99Ms.toFixed(2)} ms (p99).\n`;
  return [
    '### The CNI chain, beside cnitool\n',
    command('chain', machine, 'contenders took turns. Ratios are medians of those of the rounds'),
    ...measured.map((text) => text.charAt(0).toUpperCase() + text.slice(1)),
    targetsTable(directory, 'chain', results),
    idle,
  ];
}

function recoverySection(directory, results) {
  const { machine, table, undo } = results;
  const undos = Object.entries(undo).map(([backend, figures]) => ({ backend, ...figures }));
  return [
    '### Recovery, and what fails\n',
    command('recovery', machine, 'the chain went once, at the end'),
    tableOf(table),
    'A set-up that fails at its last step, and its undo, p50:\n',
    tableOf(undos),
    targetsTable(directory, 'recovery', results),
  ];
}

const sections = {
  setup: setupSection,
  churn: churnSection,
  scale: scaleSection,
  chain: chainSection,
  recovery: recoverySection,
};

/** Sections of those benchmarks that have been run. @param {string} directory of the results, as the README names it */
export function performanceSection(directory) {
  const parts = Object.entries(sections).flatMap(([name, section]) => {
    const file = join(directory, `${name}.json`);
    if (!existsSync(file)) return [];
    const results = JSON.parse(readFileSync(file, 'utf8'));
    if (results.quick) throw new Error(`${file} is of a quick run, which has too few rounds to say anything`);
    return section(directory, results);
  });
  return parts.join('\n');
}
