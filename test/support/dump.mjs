/**
 * The lab's canonical dump: all that a network leaves in the kernel and on disk, as sorted lines of text, without what
 * differs from run to run (indexes, handles, counters, random MACs, host-local's memory of the last address).
 */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { dumpFiles } from './dump-files.mjs';
import { addressLines, filterLines, linkLines, nftLines, qdiscLines, routeLines } from './dump-kernel.mjs';
import { readNamespaces } from './dump-readings.mjs';

const netnsDir = '/run/netns';
/** So long a busy kernel may take for a link. */
const goingMs = 6_000;
/** So far apart two looks begin. */
const betweenLooksMs = 100;

/** @param {import('./dump-readings.mjs').Reading} reading */
const linesOf = ({ links, addresses, routes, qdiscs, filters, ruleset }) => [
  ...linkLines(links),
  ...addressLines(addresses),
  ...routeLines(routes),
  ...qdiscLines(qdiscs),
  ...filters.flatMap(([link, its]) => filterLines(link, its)),
  ...nftLines(ruleset.nftables ?? []),
];

/**
 * As it is now, settled or not.
 *
 * @param {import('./dump-readings.mjs').Reading} [host] of the host's own namespace, where that was read already
 */
export async function dumpOnce(host) {
  const names = (await readdir(netnsDir).catch(() => [])).sort();
  const paths = names.map((name) => join(netnsDir, name));
  const readings = await readNamespaces(host ? paths : ['', ...paths]);
  const [own, ...inside] = host ? [host, ...readings] : readings;
  if (!own) throw new Error('this namespace cannot be read');
  const lines = linesOf(own);
  for (const [index, name] of names.entries()) {
    const reading = inside[index];
    const its = reading ? linesOf(reading) : ['not a namespace'];
    lines.push(...its.map((line) => `netns ${name}: ${line}`));
  }
  lines.push(...(await dumpFiles(['/run', '/var/lib/cni', '/etc/cni'])));
  return `${lines.join('\n')}\n`;
}

/**
 * A VM's link that is cut off may stay so, or go with its namespace, for which a busy kernel takes longer than between
 * two looks.
 *
 * @param {string} dump
 */
const mayBeGoing = (dump) =>
  dump
    .split('\n')
    .filter((line) => /^link \S+ veth .* alias="vulcan-net /.test(line))
    .some((line) => !/[<,]UP[,>]/.test(line) || line.includes(' state=disabled'));

/**
 * The dump once it has settled: links that are going are gone, and looks for as long as it takes see the same.
 * With `expected`, it has settled when it is that, as `seen` sees both; what is there after `timeoutMs` is returned all the same.
 *
 * @param {{ expected?: string, timeoutMs?: number, seen?: (dump: string) => string }} [options]
 */
export async function canonicalDump({ expected, timeoutMs = 20_000, seen = (dump) => dump } = {}) {
  const isExpected = (/** @type {string} */ dump) => expected !== undefined && seen(dump) === seen(expected);
  const deadline = performance.now() + timeoutMs;
  let began = performance.now();
  let [last, since] = [await dumpOnce(), performance.now()];
  while (!isExpected(last) && performance.now() < deadline) {
    await sleep(Math.max(0, began + betweenLooksMs - performance.now()));
    began = performance.now();
    const next = await dumpOnce().catch(() => null);
    if (next === null) continue;
    if (next !== last) since = performance.now();
    else if (expected === undefined && performance.now() - since > (mayBeGoing(next) ? goingMs : 0)) break;
    last = next;
  }
  return last;
}

/** What a dump has that another had not, and the other way round: a line each. @param {string} before @param {string} after */
export function dumpDifference(before, after) {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const gone = old.filter((line) => !now.includes(line)).map((line) => `\n    - ${line}`);
  const come = now.filter((line) => !old.includes(line)).map((line) => `\n    + ${line}`);
  return [...gone, ...come].join('');
}
