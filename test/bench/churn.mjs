/**
 * `setup` from a pool, side by side with a setup of its own and with the chain; a burst of as many as the pool has; and VMs
 * that come and go without rest, with slots that are recycled and with slots that are destroyed.
 */
import { join } from 'node:path';
import { measureBurst } from './burst.mjs';
import { distributionChart } from './charts/distribution.mjs';
import { cnitoolContender } from './contenders/cnitool.mjs';
import { managerContender } from './contenders/manager.mjs';
import { poolContender } from './contenders/pool.mjs';
import { cycleFigures, measureCycles } from './cycles.mjs';
import { contenderFigures } from './figures.mjs';
import { measurePools } from './pools.mjs';
import { profile, roundsOf } from './profile.mjs';
import { atLeast, atMost, machineLine, printTable, saveText } from './report.mjs';
import { compare } from './rounds.mjs';
import { slowest } from './slowest.mjs';
import { medianRatio, percentile } from './stats.mjs';

const WARM = 'vulcan-net, warm';
const COLD = 'vulcan-net, cold';
const CHAIN = 'chain (cnitool)';

const SIZES = {
  full: { rounds: 10, vms: 100, burst: 500, bursts: 5, live: 100, seconds: 60 },
  quick: { rounds: 2, vms: 20, burst: 50, bursts: 2, live: 20, seconds: 2 },
};
/** Who waits for a teardown or a setup at a time. */
const CALLERS = 2;

const network = (short, octet) => ({
  network: `bench-${short}`,
  bridge: `${short}br0`,
  subnet: `10.${octet}.0.0/16`,
});

/** What is watched where a target was missed: VMs from a pool, whose slots come back. */
async function saveProfile(file, workDir) {
  const pool = { min: 300, max: 600, recycle: true, restMs: 0 };
  const contender = await poolContender('vulcan-net, recycled', { ...network('seen', 203), pool });
  const times = await profile(roundsOf({ ...contender, pid: process.pid }), workDir);
  await saveText(file, `${times}\n${await slowest(contender, workDir)}`);
  await contender.close();
}

export async function churnBenchmark({ tools, quick, resultsDir }) {
  const { rounds, vms, burst, bursts, live, seconds } = quick ? SIZES.quick : SIZES.full;
  const { cnitool, pluginDirs, workDir } = tools;
  const warm = await poolContender(WARM, { ...network('warm', 181), pool: { min: vms, max: 2 * vms } });
  const contenders = [
    warm,
    await managerContender(COLD, network('cold', 182)),
    await cnitoolContender(CHAIN, {
      ...{ ...network('cchain', 183), cnitool, pluginDirs },
      workDir: join(workDir, 'cchain'),
    }),
  ];
  const rows = await compare(contenders, { rounds, vms, label: 'churn' });
  const coldSetups = rounds * vms - warm.warm();
  const figures = contenderFigures(rows);
  printTable(`Set-up and teardown, ${vms} VMs a round, ${rounds} rounds`, figures);
  console.log(`\nset-ups that found the pool empty: ${coldSetups}`);
  for (const contender of contenders) await contender.close();

  const pool = await poolContender(WARM, { ...network('burst', 184), pool: { min: burst, max: burst } });
  const inBurst = await measureBurst(pool, { rounds: bursts, vms: burst });
  await pool.close();

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
  const { recycled, destroyed } = cycles;
  const pools = await measurePools(cycles, {
    ...{ rounds, vms, live, seconds, callers: CALLERS, burst, bursts },
  });
  const tables = {
    [`Pools beside each other, ${vms} VMs a round, ${rounds} rounds`]: contenderFigures(pools.rows),
    [`${live} VMs, each torn down and set up again without rest for ${seconds} s, ${CALLERS} callers`]: [
      ...Object.entries(cycles).map(([name, run]) => cycleFigures(`vulcan-net, ${name}`, run)),
      ...Object.entries(pools.cycles).map(([name, run]) => cycleFigures(`Go pool, ${name}`, run)),
    ],
    [`${burst} set-ups at once, pool of ${burst}, until all are done`]: pools.bursting,
  };
  for (const [title, table] of Object.entries(tables)) printTable(title, table);

  const samples = rows.get(WARM).setup;
  const targets = [
    atMost('warm setup p50, ms', percentile(samples.flat(), 50), 0.1),
    atMost('warm setup p99, ms', percentile(samples.flat(), 99), 1),
    atLeast('setup p50: chain / warm', medianRatio(rows.get(CHAIN).setup, samples), 200),
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
    await saveProfile(join(resultsDir, 'churn-profile-ours.txt'), workDir);
  }
  const distribution = [...figures, ...contenderFigures(pools.rows)].map((row) => ({
    name: row.contender,
    p50: row['setup p50 ms'],
    p99: row['setup p99 ms'],
  }));
  const chart = distributionChart(distribution, {
    title: 'Set-up of one VM’s network: warm, recycled, cold',
    ours: WARM,
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
