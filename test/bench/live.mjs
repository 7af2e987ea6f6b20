/** Many VMs of one network at once: built one after another, looked at on the way, and torn down by `close`. */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { measureMounts } from './mounts.mjs';
import { progress, progressDone } from './progress.mjs';
import { runAll } from './rounds.mjs';

const run = promisify(execFile);
const POLL_MS = 10;
/** The kernel frees memory of what went before a moment after it. */
const GRACE_MS = 1_000;
const GONE_MS = 120_000;

const isOurs = (name) => /^vn[0-9a-f]{13}$/.test(name);

/** Host links of VMs that are there. */
export const hostLinks = async () => (await readdir('/sys/class/net')).filter(isOurs);

export async function untilGone() {
  const deadline = performance.now() + GONE_MS;
  while ((await hostLinks()).length > 0) {
    if (performance.now() > deadline) throw new Error(`there are links after ${GONE_MS} ms`);
    await sleep(POLL_MS);
  }
}

/** KiB: what is available, and what the kernel says that it has taken itself. */
async function memory() {
  const text = await readFile('/proc/meminfo', 'utf8');
  const of = (key) => Number(new RegExp(`^${key}:\\s+(\\d+) kB`, 'm').exec(text)[1]);
  const kernel = ['Slab', 'Percpu', 'KernelStack', 'PageTables'].reduce((sum, key) => sum + of(key), 0);
  return { available: of('MemAvailable'), kernel };
}

/** Rules of this library's tables in the host's namespace. */
async function countRules() {
  const { stdout } = await run('nft', ['-j', 'list', 'ruleset'], { maxBuffer: 256 * 1024 * 1024 });
  return JSON.parse(stdout).nftables.filter(({ rule }) => rule?.table.startsWith('vulcan')).length;
}

const look = async (n) => ({ n, rules: await countRules(), mounts: await measureMounts() });

/**
 * @param {{ name: string, options: object, vms: number, stops: readonly number[] }} layout `stops`: with how many VMs it is
 *   looked at what they cost others
 */
export async function measureLive({ name, options, vms, stops }) {
  const { NetworkManager } = await import('../../dist/index.js');
  await sleep(GRACE_MS);
  const manager = await NetworkManager.open({ verify: 'off', ...options });
  const ids = Array.from({ length: vms }, (_, vm) => `live-${vm}`);
  const before = await memory();
  const seen = stops.includes(0) ? [await look(0)] : [];
  const setup = [];
  let buildMs = 0;
  for (const stop of [...stops.filter((n) => n > 0 && n < vms), vms]) {
    progress(`${name}: to ${stop} VMs`);
    const { samples, wallMs } = await runAll(ids.slice(setup.length, stop), 1, (id) => manager.setup(id));
    setup.push(...samples);
    buildMs += wallMs;
    if (stops.includes(stop)) seen.push(await look(stop));
  }
  const after = await memory();
  progress(`${name}: tears down ${vms} VMs`);
  const begin = performance.now();
  await manager.close();
  const closeMs = performance.now() - begin;
  await untilGone();
  const goneMs = performance.now() - begin;
  progressDone();
  const kibPerVm = {
    available: (before.available - after.available) / vms,
    kernel: (after.kernel - before.kernel) / vms,
  };
  return { setup, buildMs, closeMs, goneMs, kibPerVm, seen };
}
