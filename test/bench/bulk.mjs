/**
 * Many VMs torn down at once, by two ways: the namespaces lose their names, and the kernel frees them together; or the
 * host’s links are deleted by their group first.
 */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { hostLinks, untilGone } from './live.mjs';
import { progress, progressDone } from './progress.mjs';
import { runAll } from './rounds.mjs';
import { median } from './stats.mjs';

const run = promisify(execFile);

const byNamespaces = (manager) => manager.close();

/** All links of the network have the same. */
async function byGroup(manager) {
  const [link] = await hostLinks();
  const { stdout } = await run('ip', ['-j', 'link', 'show', link]);
  await run('ip', ['link', 'delete', 'group', String(JSON.parse(stdout)[0].group)]);
  await manager.close();
}

const ways = new Map([
  ['namespaces dropped together', byNamespaces],
  ['links deleted by group first', byGroup],
]);

async function tearDown(options, vms, way) {
  const { NetworkManager } = await import('../../dist/index.js');
  const manager = await NetworkManager.open({ verify: 'off', ...options });
  const ids = Array.from({ length: vms }, (_, vm) => `bulk-${vm}`);
  await runAll(ids, 1, (id) => manager.setup(id));
  const begin = performance.now();
  await way(manager);
  const doneMs = performance.now() - begin;
  await untilGone();
  return { doneMs, goneMs: performance.now() - begin };
}

/** @param {object} options of a routed network: its links have a group */
export async function measureBulk(options, { rounds, vms }) {
  const measured = new Map([...ways].map(([name]) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    progress(`bulk: round ${round + 1} of ${rounds}`);
    for (const [name, way] of round % 2 === 0 ? ways : [...ways].reverse()) {
      measured.get(name).push(await tearDown(options, vms, way));
    }
  }
  progressDone();
  return [...measured].map(([way, own]) => ({
    way,
    'returns after ms': median(own.map(({ doneMs }) => doneMs)),
    'all gone after ms': median(own.map(({ goneMs }) => goneMs)),
  }));
}
