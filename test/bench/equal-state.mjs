/** What each contender leaves for one VM, against what the floor leaves: unequal work is not to be compared. */
import { readdir } from 'node:fs/promises';
import { canonicalDump } from '../support/dump.mjs';
import { settle } from './settle.mjs';

const FIRST = 'equal-0';
const VM = 'equal-1';

/** Names, subnets and directories that differ from contender to contender, as one. Of files their place and mode count. */
function anonymous(line, { bridge, hostLink, others, short }) {
  return others
    .reduce((text, other) => text.replaceAll(other, 'OTHER'), line)
    .replaceAll(hostLink, 'HOSTLINK')
    .replaceAll(bridge, 'BRIDGE')
    .replaceAll(`bench-${short}`, 'NETWORK')
    .replaceAll(`bench_${short}`, 'TABLE')
    .replaceAll('"table":"vulcan"', '"table":"TABLE"')
    .replaceAll(/\b10\.17\d\./g, '10.X.')
    .replaceAll(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, 'MAC')
    .replaceAll(new RegExp(`/run/cni/${short}/|/run/cni/(?=locks|results)|/var/lib/cni/`, 'g'), 'STATE/')
    .replaceAll(/cnitool-[0-9a-f]{20}/g, VM)
    .replace(/ \d+ bytes [0-9a-f]{12}$/, '');
}

/** Elements of a set stand in the order of their hashes. */
function inOrder(line) {
  if (!line.startsWith('nft {"set":')) return line;
  const { set } = JSON.parse(line.slice('nft '.length));
  const text = (element) => JSON.stringify(element);
  const elem = [...(set.elem ?? [])].sort((a, b) => (text(a) < text(b) ? -1 : 1));
  return `nft ${JSON.stringify({ set: { ...set, elem } })}`;
}

const lines = async () => new Set((await canonicalDump()).split('\n'));

/** Sorted lines of the canonical dump that one VM adds. A VM before it makes what all VMs of a network share. */
async function endState(contender) {
  const short = contender.bridge.replace(/br0$/, '');
  const ports = () => readdir(`/sys/class/net/${contender.bridge}/brif`);
  await contender.prepare([FIRST]);
  await contender.setup(FIRST);
  const before = await lines();
  const others = await ports();
  await contender.prepare([VM]);
  await contender.setup(VM);
  const [hostLink = '-'] = (await ports()).filter((port) => !others.includes(port));
  const added = [...(await lines())].filter((line) => !before.has(line));
  for (const id of [FIRST, VM]) await contender.teardown(id);
  await contender.finish([FIRST, VM]);
  await settle(contender.bridge);
  return added
    .map((line) => inOrder(anonymous(line, { bridge: contender.bridge, hostLink, others, short })))
    .sort();
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
