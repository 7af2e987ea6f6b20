/** Cost against the number of VMs, in each layout and by the chain: to build, to have, and to tear down. */
import { join } from 'node:path';
import { measureBulk } from './bulk.mjs';
import { growthChart } from './charts/growth.mjs';
import { measureChainGrowth } from './contenders/cnitool.mjs';
import { growthRatio } from './growth.mjs';
import { measureLive } from './live.mjs';
import { profile } from './profile.mjs';
import { atMost, machineLine, printTable, saveText } from './report.mjs';
import { liveFigures, mountFigures } from './scale-figures.mjs';
import { manyVms } from './scale-subject.mjs';
import { along, percentile } from './stats.mjs';

const ROUTED = 'vulcan-net, routed';
const BRIDGES = 'vulcan-net, bridges';
const BRIDGE = 'vulcan-net, bridge';
const CHAIN = 'chain (cnitool)';

/** A bridge has 1,023 ports; the chain has no other way. */
const SIZES = {
  full: { rounds: 3, vms: 4000, onOneBridge: 1000, chainVms: 1000, bulkVms: 1000, point: 100 },
  quick: { rounds: 1, vms: 400, onOneBridge: 200, chainVms: 20, bulkVms: 100, point: 10 },
};
const STOPS = [0, 1, 100, 1000];
const MANY = 4000;
const LIMIT_S = 15;

const network = (short, octet, layout) => ({
  ...{ network: `bench-${short}`, bridge: `${short}br0`, subnet: `10.${octet}.0.0/16` },
  ...(layout === 'bridge' ? {} : { layout }),
});

const longest = (lives, key) => Math.max(...lives.map((live) => live[key]));

function targetsOf(lives, vms) {
  const scaled = (ms) => ((ms / 1000) * MANY) / vms;
  const rows = [ROUTED, BRIDGES].flatMap((name) => {
    const own = lives.get(name);
    const memory = own.map(({ kibPerVm }) => Math.max(kibPerVm.available, kibPerVm.kernel));
    return [
      atMost(`${name}: ${MANY} VMs built, s`, scaled(longest(own, 'buildMs')), LIMIT_S),
      atMost(`${name}: ${MANY} VMs torn down by close, s`, scaled(longest(own, 'goneMs')), LIMIT_S),
      atMost(`${name}: kernel memory of one VM, KiB`, percentile(memory, 50), 450),
    ];
  });
  const ratio = growthRatio(
    lives.get(ROUTED).map(({ setup }) => setup),
    100,
  );
  const rules = [...lives.values()].flat().map(({ seen }) => {
    const counts = seen.map((each) => each.rules);
    return Math.max(...counts) - Math.min(...counts);
  });
  return [
    ...rows,
    atMost(`${ROUTED}: VM ${vms} / VM 100, p50`, ratio, 1.5),
    atMost('rules that VMs added to the host', Math.max(...rules), 0),
  ];
}

async function saveProfiles({ resultsDir, tools, vms }, targets) {
  const missed = targets.some(({ verdict }) => verdict === 'MISSED');
  if (!missed) return;
  const subject = manyVms(network('prof', 191, 'routed'), vms);
  await saveText(join(resultsDir, 'scale-profile-ours.txt'), await profile(subject, tools.workDir));
}

export async function scaleBenchmark({ tools, quick, resultsDir }) {
  const { rounds, vms, onOneBridge, chainVms, bulkVms, point } = quick ? SIZES.quick : SIZES.full;
  const layouts = [
    { name: BRIDGE, vms: onOneBridge, options: network('one', 186, 'bridge') },
    { name: BRIDGES, vms, options: network('some', 187, 'bridges') },
    { name: ROUTED, vms, options: network('route', 188, 'routed') },
  ];
  const lives = new Map(layouts.map(({ name }) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const layout of round % 2 === 0 ? layouts : [...layouts].reverse()) {
      const stops = [...STOPS.filter((n) => n < layout.vms), layout.vms];
      lives.get(layout.name).push(await measureLive({ ...layout, stops }));
    }
  }
  const chain = await measureChainGrowth({ ...tools, vms: chainVms, ...network('chain', 189, 'bridge') });
  const bulk = await measureBulk(network('bulk', 190, 'routed'), { rounds, vms: bulkVms });

  const growth = [
    ...[...lives].map(([name, own]) => [name, own.map(({ setup }) => setup)]),
    [CHAIN, [chain]],
  ].map(([name, samples]) => ({ name, points: along(samples, point) }));
  const live = liveFigures(lives);
  const mounts = mountFigures(lives.get(ROUTED));
  const targets = targetsOf(lives, vms);
  printTable(`VMs at once, ${rounds} rounds`, live);
  printTable('What names of namespaces cost `unshare -m true`', mounts);
  printTable(`${bulkVms} VMs torn down at once, by two ways, ${rounds} rounds, medians`, bulk);
  printTable('Targets', targets);
  const chart = growthChart(growth, {
    ...{ ours: ROUTED, footer: machineLine(), point, axis: 'VMs there are' },
    title: 'Cost of a VM’s network against the number of VMs',
  });
  await saveText(join(resultsDir, 'scale.svg'), chart);
  await saveProfiles({ resultsDir, tools, vms }, targets);
  return { rounds, vms, bulkVms, live, growth, mounts, bulk, targets };
}
