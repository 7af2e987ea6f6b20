/**
 * `setup` from a pool, side by side with a setup of its own and with the chain; a burst of as many as the pool has; and VMs
 * that come and go without rest, with slots that are recycled and with slots that are destroyed.
 */
import { join } from 'node:path';
import { measureBurst } from './burst.mjs';
import { distributionChart } from './charts/distribution.mjs';
import { poolContender } from './contenders/pool.mjs';
import { cycleFigures, measureCycles } from './cycles.mjs';
import { contenderFigures } from './figures.mjs';
import { compareOrigins, network } from './origins.mjs';
import { measurePools } from './pools.mjs';
import { profile, roundsOf } from './profile.mjs';
import { atLeast, atMost, machineLine, printTable, saveText } from './report.mjs';
import { slowest } from './slowest.mjs';

const SIZES = {
  full: { rounds: 10, vms: 100, burst: 500, bursts: 5, live: 100, seconds: 60 },
  quick: { rounds: 2, vms: 20, burst: 50, bursts: 2, live: 20, seconds: 2 },
};
/** Who waits for a teardown or a setup at a time. */
const CALLERS = 2;

/** What is watched where a target was missed: VMs from a pool, whose slots come back. */
async function saveProfile(file, workDir) {
  const pool = { min: 300, max: 600, recycle: true, restMs: 0 };
  const contender = await poolContender('vulcan-net, recycled', { ...network('seen', 203), pool });
  const times = await profile(roundsOf({ ...contender, pid: process.pid }), workDir);
  await saveText(file, `${times}\n${await slowest(contender, workDir)}`);
  await contender.close();
}

/** Of VMs that come and go without rest, by what becomes of their slots. */
async function measureBoth({ live, seconds }) {
  const cycles = {};
  for (const [index, recycle] of [true, false].entries()) {
    const name = recycle ? 'recycled' : 'destroyed';
    const size = { min: 2 * live, max: 2 * live };
    const options = {
      ...network(name, 0),
      subnet: `10.185.${16 * index}.0/20`,
      bridge: `churn${index}`,
      pool: { ...size, recycle, restMs: 0 },
    };
    cycles[name] = await measureCycles({ name, live, seconds, callers: CALLERS, options });
  }
  return cycles;
}

export async function churnBenchmark({ tools, quick, resultsDir }) {
  const { rounds, vms, burst, bursts, live, seconds } = quick ? SIZES.quick : SIZES.full;
  const first = await compareOrigins(tools, { rounds, vms });
  const pool = await poolContender('vulcan-net, warm', {
    ...{ ...network('burst', 184), pool: { min: burst, max: burst } },
  });
  const inBurst = await measureBurst(pool, { rounds: bursts, vms: burst });
  await pool.close();
  const cycles = await measureBoth({ live, seconds });
  const { recycled, destroyed } = cycles;
  // V8 has compiled by now whatever set-ups run through.
  const later = await compareOrigins(tools, { rounds, vms, when: ', later' });
  const pools = await measurePools(cycles, {
    ...{ rounds, vms, live, seconds, callers: CALLERS, burst, bursts },
  });
  const rows = [...first.rows, ...later.rows];
  const coldSetups = first.coldSetups + later.coldSetups;
  const figures = contenderFigures(rows);
  printTable(`Set-up and teardown, ${vms} VMs a round, ${rounds} rounds`, figures);
  const tables = {
    [`Pools beside each other, ${vms} VMs a round, ${rounds} rounds`]: contenderFigures(pools.rows),
    [`${live} VMs, each torn down and set up again without rest for ${seconds} s, ${CALLERS} callers`]: [
      ...Object.entries(cycles).map(([name, run]) => cycleFigures(`vulcan-net, ${name}`, run)),
      ...Object.entries(pools.cycles).map(([name, run]) => cycleFigures(`Go pool, ${name}`, run)),
    ],
    [`${burst} set-ups at once, pool of ${burst}, until all are done`]: pools.bursting,
  };
  for (const [title, table] of Object.entries(tables)) printTable(title, table);
  console.log(`\nset-ups that found the pool empty: ${coldSetups}`);

  const targets = [
    atMost('warm setup p50, ms', first.p50Ms, 0.1),
    atMost('warm setup p99, ms', first.p99Ms, 1),
    atLeast('setup p50: chain / warm', first.chainRatio, 200),
    atMost('warm setup p50, ms, later', later.p50Ms, 0.1),
    atMost('warm setup p99, ms, later', later.p99Ms, 1),
    atLeast('setup p50: chain / warm, later', later.chainRatio, 200),
    // Alone, and beside the Go pool.
    atMost(
      `${burst} set-ups at once, ms until all are done, longest of ${2 * bursts}`,
      Math.max(inBurst.longestMs, pools.longestBurstMs),
      100,
    ),
    atMost(`event loop delay p99, ms, ${burst} set-ups at once`, inBurst.loopDelayP99Ms, 5),
    atMost('teardown to the pool p50, ms', recycled.teardown.p50Ms, 0.15),
    atLeast('cycles a second, recycled', recycled.perSecond, 3000),
    atMost('setup p99, ms, recycled', recycled.setup.p99Ms, 2),
    atLeast('cycles a second, destroyed', destroyed.perSecond, 400),
    atMost('set-ups that found the pool empty', coldSetups + inBurst.coldSetups, 0),
    ...pools.targets,
  ];
  printTable('Targets', targets);
  if (targets.some(({ verdict }) => verdict === 'MISSED')) {
    await saveProfile(join(resultsDir, 'churn-profile-ours.txt'), tools.workDir);
  }
  const distribution = [...figures, ...contenderFigures(pools.rows)].map((row) => ({
    name: row.contender,
    p50: row['setup p50 ms'],
    p99: row['setup p99 ms'],
  }));
  const chart = distributionChart(distribution, {
    title: 'Set-up of one VM’s network: warm, recycled, cold',
    ours: first.warmName,
    footer: machineLine(),
  });
  await saveText(join(resultsDir, 'churn.svg'), chart);
  return {
    rows: Object.fromEntries(rows),
    coldSetups,
    burst: inBurst,
    cycles,
    pools: Object.fromEntries(pools.rows),
    tables,
    targets,
  };
}
