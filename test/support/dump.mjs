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

/** @param {string | null} netns @param {string} file @param {...string} args @returns {Promise<any>} */
async function query(netns, file, ...args) {
  const command = netns === null ? [file, ...args] : ['nsenter', `--net=${netns}`, '--', file, ...args];
  const { stdout } = await execFileAsync(command[0] ?? '', command.slice(1), {
    maxBuffer: 64 * 1024 * 1024,
  });
  return stdout.trim() === '' ? [] : JSON.parse(stdout);
}

/** @param {string | null} netns */
async function dumpNamespace(netns) {
  /** @param {string} file @param {...string} args */
  const ask = (file, ...args) => query(netns, file, ...args);
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

async function dumpOnce() {
  const lines = await dumpNamespace(null);
  for (const name of (await readdir(netnsDir).catch(() => [])).sort()) {
    const inside = await dumpNamespace(`${netnsDir}/${name}`).catch(() => ['not a namespace']);
    lines.push(...inside.map((line) => `netns ${name}: ${line}`));
  }
  lines.push(...(await dumpFiles(['/run', '/var/lib/cni', '/etc/cni'])));
  return `${lines.join('\n')}\n`;
}

/**
 * The dump once it has settled: links that are going are gone, and two looks in a row see the same.
 * With `expected`, it has settled when it is that; what is there after `timeoutMs` is returned all the same.
 *
 * @param {{ expected?: string, timeoutMs?: number }} [options]
 */
export async function canonicalDump({ expected, timeoutMs = 20_000 } = {}) {
  const deadline = performance.now() + timeoutMs;
  let last = await dumpOnce();
  while (last !== expected && performance.now() < deadline) {
    await sleep(100);
    const next = await dumpOnce().catch(() => last);
    if (expected === undefined && next === last) break;
    last = next;
  }
  return last;
}
