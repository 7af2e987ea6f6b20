/** The CNI chain by this library, next to the same chain by cnitool; and what it does to the event loop of a large process. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { cnitoolContender } from './contenders/cnitool.mjs';
import { managerContender } from './contenders/manager.mjs';
import { printTable, target } from './report.mjs';
import { compare } from './rounds.mjs';
import { medianRatio, summarize } from './stats.mjs';

const RESIDENT_BYTES = 2 * 1024 ** 3;

const conflist = {
  cniVersion: '1.0.0',
  name: 'benchnet',
  plugins: [
    {
      type: 'bridge',
      bridge: 'benchbr0',
      isGateway: true,
      ipam: {
        type: 'host-local',
        subnet: '10.170.0.0/16',
        dataDir: '/run/cni/networks',
        routes: [{ dst: '0.0.0.0/0' }],
      },
    },
    { type: 'tc-redirect-tap' },
  ],
};

const summaryRows = (rows) =>
  [...rows].flatMap(([name, { setup, teardown }]) =>
    [
      ['setup', setup],
      ['teardown', teardown],
    ].map(([verb, rounds]) => {
      const { p50, p99, count } = summarize(rounds.flat());
      return { contender: name, verb, 'p50 ms': p50, 'p99 ms': p99, n: count };
    }),
  );

/** The longest the event loop was kept waiting (p99, ms) while VMs are set up, from a process of 2 GiB. */
async function loopDelay(ours, vms) {
  const ballast = Buffer.alloc(RESIDENT_BYTES, 1);
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  for (let vm = 0; vm < vms; vm++) {
    await ours.setup(`loop-${vm}`);
    await ours.teardown(`loop-${vm}`);
  }
  histogram.disable();
  // The histogram counts the timer's own period too.
  return { residentBytes: ballast.length, p99Ms: histogram.percentile(99) / 1e6 - 1 };
}

export async function chainBenchmark({ tools, rounds, vms }) {
  const { cnitool, pluginDirs, workDir } = tools;
  const ours = await managerContender('vulcan-net, cni', {
    backend: 'cni',
    network: 'vulcanbench',
    bridge: 'vulcanbr0',
    subnet: '10.171.0.0/16',
    pluginDirs,
  });
  const theirs = await cnitoolContender('cnitool', { cnitool, pluginDirs, conflist, workDir });
  const targets = [];
  const results = {};
  for (const width of [1, 8]) {
    const rows = await compare([ours, theirs], {
      rounds,
      vms,
      width,
      onRound: (done, all) => process.stderr.write(`\r${width} at a time: round ${done} of ${all} `),
    });
    process.stderr.write('\n');
    const title = width === 1 ? 'One at a time' : `${width} side by side`;
    printTable(title, summaryRows(rows));
    results[title] = Object.fromEntries(rows);
    for (const verb of ['setup', 'teardown']) {
      const ratio = medianRatio(rows.get(ours.name)[verb], rows.get(theirs.name)[verb], 50);
      targets.push(target(`${verb}, ${title.toLowerCase()}: ours / cnitool (p50)`, ratio, 1.05));
    }
  }
  const delay = await loopDelay(ours, 100);
  targets.push(target('event loop delay p99 (ms), 2 GiB resident', delay.p99Ms, 5));
  printTable('Targets', targets);
  await ours.close();
  await theirs.close();
  return { targets, results, delay };
}
