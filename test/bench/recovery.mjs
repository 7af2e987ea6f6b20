/** What `open` takes to judge many attachments, `gc` to remove them, and a setup to undo itself; beside the chain's DEL. */
import { join } from 'node:path';
import { profile } from './profile.mjs';
import { atMost, printTable, saveText } from './report.mjs';
import { runAll } from './rounds.mjs';
import { settle } from './settle.mjs';
import { median } from './stats.mjs';
import { chainUndo, nativeUndo } from './undo.mjs';

const SIZES = {
  full: { rounds: 5, vms: 1000, chainVms: 1000, undoVms: 20, chainUndoVms: 10 },
  quick: { rounds: 2, vms: 100, chainVms: 4, undoVms: 5, chainUndoVms: 2 },
};
const MANY = 1000;
/** Set-ups of the chain at once, before its gc is measured. */
const CHAIN_WIDTH = 8;

const base = { verify: 'off', shutdown: 'leave' };
const natively = { ...base, network: 'bench-back', bridge: 'backbr0', subnet: '10.191.0.0/16' };

async function timed(work) {
  const begin = performance.now();
  const value = await work();
  return { ms: performance.now() - begin, value };
}

async function setUp(manager, count, width) {
  const ids = Array.from({ length: count }, (_, vm) => `back-${vm}`);
  await runAll(ids, width, (id) => manager.setup(id));
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
  await setUp(first, vms, 1);
  const { ms: openMs, value: second } = await timed(() => NetworkManager.open(natively));
  const { ms: listMs, value: listed } = await timed(() => second.list());
  const whole = listed.filter(({ state, config }) => state === 'complete' && config !== null).length;
  if (whole !== vms) throw new Error(`${whole} of ${vms} were adopted`);
  const gcMs = await collect(second, vms, natively.bridge);
  for (const manager of [second, first]) await manager.close();
  return { openMs, listMs, gcMs };
}

async function chainGc(NetworkManager, pluginDirs, vms) {
  const options = { backend: 'cni', network: 'bench-cback', bridge: 'cbackbr0', subnet: '10.192.0.0/16' };
  const manager = await NetworkManager.open({ ...base, ...options, pluginDirs });
  await setUp(manager, vms, CHAIN_WIDTH);
  const ms = await collect(manager, vms, options.bridge);
  await manager.close();
  return ms;
}

/** Of all rounds; a failed setup takes its undo longer than one that goes through, unless its undo was measured. */
function undoFigures(rounds) {
  const of = (what) => median(rounds.flatMap((round) => round[what]));
  const [setup, failed, teardown] = ['setup', 'failed', 'teardown'].map(of);
  const undo = rounds[0].undo ? of('undo') : failed - setup;
  return { 'setup ms': setup, 'failed setup ms': failed, 'teardown ms': teardown, 'its undo ms': undo };
}

/** `open` and `gc`, as what is watched. */
function recoveryOf(NetworkManager, vms) {
  let first = null;
  return {
    what: `vulcan-net, native: open over ${vms} attachments, then gc of all`,
    pid: process.pid,
    async prepare() {
      first = await NetworkManager.open(natively);
      await setUp(first, vms, 1);
    },
    async work() {
      const second = await NetworkManager.open(natively);
      await second.gc({ keep: [], timeoutMs: 600_000 });
      await second.close();
    },
    async finish() {
      await settle(natively.bridge);
      await first.close();
    },
  };
}

export async function recoveryBenchmark({ tools, quick, resultsDir }) {
  const { rounds, vms, chainVms, undoVms, chainUndoVms } = quick ? SIZES.quick : SIZES.full;
  const { NetworkManager } = await import('../../dist/index.js');
  const ours = [];
  const undone = [];
  const chainUndone = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await oneRound(NetworkManager, vms));
    undone.push(await nativeUndo(NetworkManager, undoVms));
    chainUndone.push(await chainUndo(NetworkManager, tools, chainUndoVms));
  }
  const of = (samples, key) => median(samples.map((sample) => sample[key]));
  const chainMs = await chainGc(NetworkManager, tools.pluginDirs, chainVms);
  const table = [
    { what: `open over ${vms} attachments`, ms: of(ours, 'openMs') },
    { what: `list of ${vms}`, ms: of(ours, 'listMs') },
    { what: `gc of ${vms}`, ms: of(ours, 'gcMs') },
    { what: `gc of ${chainVms} by the chain's DEL, 32 side by side, once`, ms: chainMs },
  ];
  printTable(`Recovery, ${rounds} rounds, medians`, table);
  const undo = { native: undoFigures(undone), cni: undoFigures(chainUndone) };
  printTable(
    'A setup that fails at its last step, and its undo, p50',
    Object.entries(undo).map(([backend, figures]) => ({ backend, ...figures })),
  );
  const scale = MANY / vms;
  const undoTargets = Object.entries(undo).map(([backend, figures]) =>
    atMost(
      `undo of a failed setup / teardown, ${backend}`,
      figures['its undo ms'] / figures['teardown ms'],
      2,
    ),
  );
  const targets = [
    atMost(`open over ${MANY} attachments, ms`, of(ours, 'openMs') * scale, 500),
    atMost(`gc of ${MANY} orphans, ms`, of(ours, 'gcMs') * scale, 2000),
    ...undoTargets,
  ];
  printTable('Targets', targets);
  if (targets.some(({ verdict }) => verdict === 'MISSED')) {
    const text = await profile(recoveryOf(NetworkManager, vms), tools.workDir);
    await saveText(join(resultsDir, 'recovery-profile-ours.txt'), text);
  }
  return { rounds, vms, chainVms, ours, chainMs, undone, chainUndone, table, undo, targets };
}
