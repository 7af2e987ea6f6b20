/** The CNI chain by this library, next to the same chain by cnitool; and what it does to the event loop of a large process. */
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { cnitoolContender } from './contenders/cnitool.mjs';
import { managerContender } from './contenders/manager.mjs';
import { verbFigures } from './figures.mjs';
import { atMost, printTable } from './report.mjs';
import { compare } from './rounds.mjs';
import { medianRatio } from './stats.mjs';

const RESIDENT_BYTES = 2 * 1024 ** 3;
const SIZES = {
  full: { rounds: 10, vms: 16, loopVms: 100 },
  quick: { rounds: 2, vms: 8, loopVms: 10 },
};

/** How long the event loop was kept waiting (p99, ms) while `work` ran. */
async function delayDuring(work) {
  const resolutionMs = 1;
  const histogram = monitorEventLoopDelay({ resolution: resolutionMs });
  histogram.enable();
  const begin = performance.now();
  await work();
  histogram.disable();
  // The histogram counts the timer's own period too.
  const p99Ms = Math.max(0, histogram.percentile(99) / 1e6 - resolutionMs);
  return { p99Ms, durationMs: performance.now() - begin };
}

/** The event loop of a process of 2 GiB while VMs are set up, and while it does nothing: what the machine itself adds. */
async function loopDelay(ours, vms) {
  const ballast = Buffer.alloc(RESIDENT_BYTES, 1);
  const { p99Ms, durationMs } = await delayDuring(async () => {
    for (let vm = 0; vm < vms; vm++) {
      await ours.setup(`loop-${vm}`);
      await ours.teardown(`loop-${vm}`);
    }
  });
  const idle = await delayDuring(() => sleep(durationMs));
  return {
    ballastBytes: ballast.length,
    residentBytes: process.memoryUsage.rss(),
    p99Ms,
    idleP99Ms: idle.p99Ms,
  };
}

export async function chainBenchmark({ tools, quick }) {
  const { rounds, vms, loopVms } = quick ? SIZES.quick : SIZES.full;
  const { cnitool, pluginDirs, workDir } = tools;
  const ours = await managerContender('vulcan-net, cni', {
    backend: 'cni',
    network: 'bench-cni',
    bridge: 'cnibr0',
    subnet: '10.179.0.0/16',
    pluginDirs,
  });
  const theirs = await cnitoolContender('cnitool', {
    cnitool,
    pluginDirs,
    network: 'bench-cnitool',
    bridge: 'cnitoolbr0',
    subnet: '10.178.0.0/16',
    workDir: join(workDir, 'cnitool'),
  });
  const targets = [];
  const results = {};
  for (const [title, width] of [
    ['one at a time', 1],
    ['8 side by side', 8],
  ]) {
    const rows = await compare([ours, theirs], { rounds, vms, width, label: `chain-${width}` });
    printTable(`The chain, ${title}`, verbFigures(rows));
    results[title] = Object.fromEntries(rows);
    for (const verb of ['setup', 'teardown']) {
      const ratio = medianRatio(rows.get(ours.name)[verb], rows.get(theirs.name)[verb]);
      targets.push(atMost(`${verb}, ${title}, p50: ours / cnitool`, ratio, 1.05));
    }
  }
  const delay = await loopDelay(ours, loopVms);
  targets.push(atMost('event loop delay p99, ms, 2 GiB resident', delay.p99Ms, 5));
  printTable('Targets', targets);
  console.log(
    `\nThe event loop's delay of the same process while it does nothing: ${delay.idleP99Ms.toFixed(2)} ms (p99)`,
  );
  await ours.close();
  await theirs.close();
  return { targets, results, delay };
}
