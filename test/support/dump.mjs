/**
 * The lab's canonical dump: all that a network leaves in the kernel and on disk, as sorted lines of text, without what
 * differs from run to run (indexes, handles, counters, random MACs, host-local's memory of the last address).
 */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { dumpFiles } from './dump-files.mjs';
import { addressLines, filterLines, linkLines, nftLines, qdiscLines, routeLines } from './dump-kernel.mjs';

const execFileAsync = promisify(execFile);
const netnsDir = '/run/netns';
/** So long a busy kernel may take for a link. */
const goingMs = 6_000;

/**
 * What a tool prints as JSON.
 *
 * @typedef {(file: string, ...args: string[]) => Promise<any>} Query
 */

/** @type {Query} */
export async function query(file, ...args) {
  const { stdout } = await execFileAsync(file, args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim() === '' ? [] : JSON.parse(stdout);
}

/** @param {Query} ask */
async function dumpNamespace(ask) {
  const [links, addresses, routes4, routes6, qdiscs, ruleset] = await Promise.all([
    ask('ip', '-d', '-j', 'link', 'show'),
    ask('ip', '-j', 'address', 'show'),
    ask('ip', '-4', '-j', 'route', 'show', 'table', 'all'),
    ask('ip', '-6', '-j', 'route', 'show', 'table', 'all'),
    ask('tc', '-j', 'qdisc', 'show'),
    ask('nft', '-j', 'list', 'ruleset'),
  ]);
  const filters = [];
  for (const { kind, dev } of qdiscs) {
    if (kind !== 'ingress' && kind !== 'clsact') continue;
    filters.push(...filterLines(dev, await ask('tc', '-j', 'filter', 'show', 'dev', dev, 'ingress')));
  }
  return [
    ...linkLines(links),
    ...addressLines(addresses),
    ...routeLines([...routes4, ...routes6]),
    ...qdiscLines(qdiscs),
    ...filters,
    ...nftLines(ruleset.nftables ?? []),
  ];
}

/** As it is now, settled or not. `ask` is for the host's own namespace. @param {Query} ask */
export async function dumpOnce(ask) {
  const lines = await dumpNamespace(ask);
  for (const name of (await readdir(netnsDir).catch(() => [])).sort()) {
    /** @type {Query} */
    const askInside = (...command) => query('nsenter', `--net=${netnsDir}/${name}`, '--', ...command);
    const inside = await dumpNamespace(askInside).catch(() => ['not a namespace']);
    lines.push(...inside.map((line) => `netns ${name}: ${line}`));
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
 * With `expected`, it has settled when it is that; what is there after `timeoutMs` is returned all the same.
 *
 * @param {{ expected?: string, timeoutMs?: number }} [options]
 */
export async function canonicalDump({ expected, timeoutMs = 20_000 } = {}) {
  const deadline = performance.now() + timeoutMs;
  let [last, since] = [await dumpOnce(query), performance.now()];
  while (last !== expected && performance.now() < deadline) {
    await sleep(100);
    const next = await dumpOnce(query).catch(() => null);
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
