/** Cold `setup` and `teardown`, side by side with the floor and with those who do the same work in other ways. */
import { join } from 'node:path';
import { measureCallers } from './callers.mjs';
import { distributionChart } from './charts/distribution.mjs';
import { growthChart } from './charts/growth.mjs';
import { FLOOR, ORIGINAL_CHAIN, OURS, openContenders, oursOptions, slow } from './contenders/all.mjs';
import { compareEndStates, printEndStates } from './equal-state.mjs';
import { contenderFigures } from './figures.mjs';
import { measureGrowth, rate } from './growth.mjs';
import { measureMemory } from './memory.mjs';
import { profile, roundsOf } from './profile.mjs';
import { machineLine, printTable, saveText } from './report.mjs';
import { compare } from './rounds.mjs';
import { slowest } from './slowest.mjs';
import { along, median } from './stats.mjs';
import { stepFigures } from './steps.mjs';
import { setupTargets } from './targets.mjs';

const SIZES = {
  full: { rounds: 10, vms: 100, manyVms: 1000, cycles: 10_000 },
  quick: { rounds: 2, vms: 20, manyVms: 200, cycles: 500 },
};
/** VMs per point of the chart of growth. */
const POINT = 50;

const growthFigures = (growth) =>
  [...growth].map(([name, rounds]) => ({
    contender: name,
    'set-ups a second': median(rounds.map(rate)),
    'p50 ms near the 50th': along(rounds, POINT)[0].value,
    'p50 ms near the last': along(rounds, POINT).at(-1).value,
    VMs: rounds[0].length,
    rounds: rounds.length,
  }));

async function saveCharts(directory, rows, growth) {
  const footer = machineLine();
  const distribution = contenderFigures(rows).map((row) => ({
    name: row.contender,
    p50: row['setup p50 ms'],
    p99: row['setup p99 ms'],
  }));
  await saveText(
    join(directory, 'setup.svg'),
    distributionChart(distribution, { title: 'Cold set-up of one VM’s network', ours: OURS, footer }),
  );
  const lines = [...growth].map(([name, rounds]) => ({ name, points: along(rounds, POINT) }));
  await saveText(
    join(directory, 'setup-growth.svg'),
    growthChart(lines, {
      ...{ ours: OURS, footer, point: POINT, axis: 'VMs on the bridge' },
      title: 'Cost of a VM’s network against the VMs on its bridge',
    }),
  );
}

export async function setupBenchmark({ tools, quick, resultsDir }) {
  const { rounds, vms, manyVms, cycles } = quick ? SIZES.quick : SIZES.full;
  const { contenders, missing } = await openContenders(tools);
  for (const { contender, reason } of missing) console.log(`\nLEFT OUT: ${contender}: ${reason}`);
  const endStates = await compareEndStates(contenders);
  printEndStates(endStates);

  const rows = await compare(contenders, { rounds, vms, label: 'setup' });
  printTable(`Cold set-up and teardown, ${vms} VMs a round, ${rounds} rounds`, contenderFigures(rows));
  const many = contenders.filter(({ name }) => name !== ORIGINAL_CHAIN);
  const growth = await measureGrowth(many, { slow, rounds, vms: manyVms });
  printTable(`${manyVms} VMs on one bridge`, growthFigures(growth));
  await saveCharts(resultsDir, rows, growth);

  const results = {
    missing,
    endStates,
    rows: Object.fromEntries(rows),
    growth: Object.fromEntries([...growth].map(([name, samples]) => [name, along(samples, POINT)])),
    manyVms: growthFigures(growth),
  };
  const floor = contenders.find(({ name }) => name === FLOOR);
  if (floor) results.floorSteps = await stepFigures(floor, vms);
  const ours = contenders.find(({ name }) => name === OURS);
  if (ours) {
    results.callers = await measureCallers(ours, { rounds, vms: 256 });
    results.memory = await measureMemory({
      cycles,
      options: oursOptions('memory', 177),
    });
    results.targets = setupTargets(rows, growth, results);
    printTable('Targets', results.targets);
    if (results.targets.some(({ verdict }) => verdict === 'MISSED')) {
      for (const [who, contender] of Object.entries({ ours, floor })) {
        if (!contender) continue;
        const file = join(resultsDir, `setup-profile-${who}.txt`);
        const times = await profile(roundsOf(contender), tools.workDir);
        await saveText(file, `${times}\n${await slowest(contender, tools.workDir)}`);
      }
    }
  }
  for (const contender of contenders) await contender.close();
  return results;
}
