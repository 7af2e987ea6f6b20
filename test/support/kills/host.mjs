/** Whether of the VMs that are up there is all, and of others nothing. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual, promisify } from 'node:util';

const execFileAsync = promisify(execFile);
const patienceMs = 30_000;

/** @param {string} directory */
const names = async (directory) => (await readdir(directory).catch(() => [])).sort();

async function links() {
  const { stdout } = await execFileAsync('ip', ['-j', 'link', 'show', 'master', 'fcbr0']);
  return JSON.parse(stdout || '[]').length;
}

async function guarded() {
  const { stdout } = await execFileAsync('nft', ['-j', 'list', 'set', 'bridge', 'vulcan', 'ports']);
  return JSON.parse(stdout).nftables.find((/** @type {any} */ each) => each.set)?.set.elem?.length ?? 0;
}

/** @param {string} stateDir */
async function look(stateDir) {
  return {
    namespaces: await names('/run/netns'),
    records: await names(`${stateDir}/results`),
    locks: (await names(`${stateDir}/locks`)).filter((name) => !name.startsWith('.network-')),
    addresses: (await names('/run/cni/networks/fcnet')).filter((name) => isIP(name) !== 0),
    links: await links(),
    guarded: await guarded(),
  };
}

/**
 * Links go behind their namespaces: it is waited for.
 *
 * @param {string} stateDir @param {readonly any[]} found what `list` says @returns {Promise<string[]>} problems
 */
export async function judgeHost(stateDir, found) {
  const vmIds = found.map(({ vmId }) => vmId).sort();
  const expected = {
    namespaces: vmIds.map((vmId) => `vulcan-${vmId}`),
    records: vmIds.map((vmId) => `fcnet-${vmId}-eth0`),
    locks: vmIds,
  };
  // Of a VM that a teardown has begun with, these may have gone.
  const whole = found.filter(({ ok }) => ok);
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const { addresses, links, guarded, ...files } = await look(stateDir);
    const all =
      whole.every(({ config }) => addresses.includes(config.guestIp)) &&
      [addresses.length, links, guarded].every((count) => whole.length <= count && count <= found.length);
    if (all && isDeepStrictEqual(files, expected)) return [];
    if (performance.now() >= deadline) {
      const there = JSON.stringify({ ...files, addresses, links, guarded });
      return [`the host has ${there}, but up are ${JSON.stringify(found)}`];
    }
    await sleep(20);
  }
}
