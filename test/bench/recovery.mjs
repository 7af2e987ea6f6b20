/** What `open` takes to judge many attachments, `gc` to remove them, and a setup to undo itself; beside the chain's DEL. */
import { atMost, printTable } from './report.mjs';
import { settle } from './settle.mjs';
import { median } from './stats.mjs';

const SIZES = {
  full: { rounds: 5, vms: 1000, chainVms: 50, undoVms: 50 },
  quick: { rounds: 2, vms: 100, chainVms: 4, undoVms: 10 },
};
const MANY = 1000;

const base = { verify: 'off', shutdown: 'leave' };
const natively = { ...base, network: 'bench-back', bridge: 'backbr0', subnet: '10.181.0.0/16' };

async function timed(work) {
  const begin = performance.now();
  const value = await work();
  return { ms: performance.now() - begin, value };
}

async function setUp(manager, count) {
  for (let vm = 0; vm < count; vm++) await manager.setup(`back-${vm}`);
}

/** Removes all that is there, and says how long that took. */
async function collect(manager, count, bridge) {
  const { ms, value } = await timed(() => manager.gc({ keep: [], timeoutMs: 600_000 }));
  if (value.removed.length !== count || value.failed.length > 0)
    throw new Error(`gc removed ${value.removed.length} of ${count}: ${value.failed[0]?.error.message}`);
  await settle(bridge);
  return ms;
}

async function oneRound(NetworkManager, vms) {
  const first = await NetworkManager.open(natively);
  await setUp(first, vms);
  const { ms: openMs, value: second } = await timed(() => NetworkManager.open(natively));
  const { ms: listMs, value: listed } = await timed(() => second.list());
  const whole = listed.filter(({ state, config }) => state === 'complete' && config !== null).length;
  if (whole !== vms) throw new Error(`${whole} of ${vms} were adopted`);
  const gcMs = await collect(second, vms, natively.bridge);
  for (const manager of [second, first]) await manager.close();
  return { openMs, listMs, gcMs };
}

async function chainGc(NetworkManager, pluginDirs, vms) {
  const options = { backend: 'cni', network: 'bench-cback', bridge: 'cbackbr0', subnet: '10.182.0.0/16' };
  const manager = await NetworkManager.open({ ...base, ...options, pluginDirs });
  await setUp(manager, vms);
  const ms = await collect(manager, vms, options.bridge);
  await manager.close();
  return ms;
}

/** A route by a gateway that cannot be reached is the last thing inside that the kernel may refuse. */
async function undo(NetworkManager, vms) {
  const options = { ...natively, network: 'bench-undo', bridge: 'undobr0', subnet: '10.183.0.0/16' };
  const manager = await NetworkManager.open(options);
  const setup = [];
  const teardown = [];
  for (let vm = 0; vm < vms; vm++) setup.push((await timed(() => manager.setup(`undo-${vm}`))).ms);
  for (let vm = 0; vm < vms; vm++) teardown.push((await timed(() => manager.teardown(`undo-${vm}`))).ms);
  await settle(options.bridge);
  await manager.removeNetwork();
  await manager.close();
  const routes = [{ destination: '198.51.100.0/24', gateway: '203.0.113.1' }];
  const failing = await NetworkManager.open({ ...options, routes });
  const failed = [];
  for (let vm = 0; vm < vms; vm++) {
    const attempt = () =>
      failing.setup(`undo-${vm}`).then(
        () => null,
        (error) => error,
      );
    const { ms, value: error } = await timed(attempt);
    if (error?.rolledBack !== true)
      throw new Error(`the set-up did not fail as it should: ${error?.message}`);
    failed.push(ms);
  }
  await settle(options.bridge);
  await failing.removeNetwork();
  await failing.close();
  return { setup: median(setup), teardown: median(teardown), failed: median(failed) };
}

export async function recoveryBenchmark({ tools, quick }) {
  const { rounds, vms, chainVms, undoVms } = quick ? SIZES.quick : SIZES.full;
  const { NetworkManager } = await import('../../dist/index.js');
  const ours = [];
  const chain = [];
  const undone = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await oneRound(NetworkManager, vms));
    chain.push(await chainGc(NetworkManager, tools.pluginDirs, chainVms));
    undone.push(await undo(NetworkManager, undoVms));
  }
  const of = (samples, key) => median(samples.map((sample) => sample[key]));
  const chainMs = median(chain);
  printTable(`Recovery, ${rounds} rounds, medians`, [
    { what: `open over ${vms} attachments`, ms: of(ours, 'openMs') },
    { what: `list of ${vms}`, ms: of(ours, 'listMs') },
    { what: `gc of ${vms}`, ms: of(ours, 'gcMs') },
    { what: `gc of ${chainVms} by the chain's DEL, 32 side by side`, ms: chainMs },
    { what: `the same scaled to ${vms}`, ms: (chainMs / chainVms) * vms },
    { what: 'setup', ms: of(undone, 'setup') },
    { what: 'teardown', ms: of(undone, 'teardown') },
    { what: 'setup that fails at its last step inside, and its undo', ms: of(undone, 'failed') },
  ]);
  const scale = MANY / vms;
  const undoMs = undone.map(({ failed, setup }) => failed - setup);
  const ratio = median(undoMs.map((ms, round) => ms / undone[round].teardown));
  const targets = [
    atMost(`open over ${MANY} attachments, ms`, of(ours, 'openMs') * scale, 500),
    atMost(`gc of ${MANY} orphans, ms`, of(ours, 'gcMs') * scale, 2000),
    atMost('undo of a failed setup (its time less that of a setup) / teardown', ratio, 2),
  ];
  printTable('Targets', targets);
  return { rounds, vms, chainVms, ours, chain, undone, targets };
}
