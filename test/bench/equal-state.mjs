/** What each contender leaves for one VM, against what the floor leaves: unequal work is not to be compared. */
import { readdir } from 'node:fs/promises';
import { canonicalDump } from '../support/dump.mjs';
import { settle } from './settle.mjs';

const VM = 'equal-1';

/** Names, subnets and directories that differ from contender to contender, as one. Of files their place and mode count. */
function anonymous(line, { bridge, hostLink, short }) {
  return line
    .replaceAll(hostLink, 'HOSTLINK')
    .replaceAll(bridge, 'BRIDGE')
    .replaceAll(`bench-${short}`, 'NETWORK')
    .replaceAll(`bench_${short}`, 'TABLE')
    .replaceAll(/\b10\.17\d\./g, '10.X.')
    .replaceAll(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, 'MAC')
    .replaceAll(`/run/cni/${short}/`, 'STATE/')
    .replaceAll(/cnitool-[0-9a-f]{20}/g, VM)
    .replace(/ \d+ bytes [0-9a-f]{12}$/, '');
}

const lines = async () => new Set((await canonicalDump()).split('\n'));

/** Sorted lines of the canonical dump that one VM adds. */
async function endState(contender) {
  const short = contender.bridge.replace(/br0$/, '');
  await contender.prepare([VM]);
  const before = await lines();
  await contender.setup(VM);
  const [hostLink = '-'] = await readdir(`/sys/class/net/${contender.bridge}/brif`);
  const added = [...(await lines())].filter((line) => !before.has(line));
  await contender.teardown(VM);
  await contender.finish([VM]);
  await settle(contender.bridge);
  return added.map((line) => anonymous(line, { bridge: contender.bridge, hostLink, short })).sort();
}

const without = (left, right) => left.filter((line) => !right.includes(line));

/**
 * @param {readonly import('./rounds.mjs').Contender[]} contenders the first is the one that the others are held to
 * @returns {Promise<{ contender: string, lacks: string[], adds: string[] }[]>}
 */
export async function compareEndStates([floor, ...others]) {
  const expected = await endState(floor);
  const differences = [];
  for (const contender of others) {
    const found = await endState(contender);
    differences.push({
      contender: contender.name,
      lacks: without(expected, found),
      adds: without(found, expected),
    });
  }
  return differences;
}

export function printEndStates(differences) {
  for (const { contender, lacks, adds } of differences) {
    const count = lacks.length + adds.length;
    console.log(
      `\nEnd state of ${contender}: ${count === 0 ? "the floor's" : `${count} lines differ from the floor's`}`,
    );
    for (const line of lacks) console.log(`  - ${line}`);
    for (const line of adds) console.log(`  + ${line}`);
  }
}
