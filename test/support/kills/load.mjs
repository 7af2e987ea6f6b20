/**
 * A manager's process that is killed: `node load.mjs OPTIONS-AS-JSON SEED`. On descriptor 3 it says what it is about to do and
 * what it has done, a line of JSON each, which is there however soon it is killed. Its parent tells it to `open`, and then to
 * go on with some VMs first (`{ suspects }`), or to `clear`.
 */
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { NetworkManager } from '../../../dist/index.js';
import { randomOf } from '../random.mjs';

const inFlight = 8;
const vmIds = Array.from({ length: 12 }, (_, index) => `vm-${index}`);

const [text = '', seed] = process.argv.slice(2);
const random = randomOf(Number(seed));
const say = (/** @type {object} */ line) => writeSync(3, `${JSON.stringify(line)}\n`);

/** @param {any} error */
const plain = ({ code, step, message }) => ({ code, step, message });

/** @param {NetworkManager} manager */
async function describe(manager) {
  const { removed, restored, failed } = manager.recovery;
  const attachments = await manager.list();
  const found = await Promise.all(
    attachments.map(async ({ vmId, state, config }) => {
      const { ok, differences } = await manager.check(vmId ?? '');
      return { vmId, state, config, ok, differences };
    }),
  );
  const failures = failed.map(({ vmId, error }) => ({ vmId, error: plain(error) }));
  return { found, removed, restored, failures };
}

/** @param {NetworkManager} manager @param {'setup' | 'teardown'} verb @param {string} vmId */
async function run(manager, verb, vmId) {
  say({ begun: verb, vmId });
  await manager[verb](vmId).then(
    (config) => say({ done: verb, vmId, config: config ?? null }),
    (error) => say({ refused: verb, vmId, error: plain(error) }),
  );
}

/** Sets up what is not, and tears down what is, for as long as the process lives. */
class Load {
  /** @param {NetworkManager} manager @param {readonly string[]} up @param {readonly string[]} suspects */
  constructor(manager, up, suspects) {
    this.manager = manager;
    this.up = new Set(up);
    this.suspects = [...suspects];
    /** @type {Set<string>} */
    this.busy = new Set();
  }

  next() {
    const free = vmIds.filter((vmId) => !this.busy.has(vmId));
    return this.suspects.shift() ?? free[Math.floor(random() * free.length)] ?? '';
  }

  async lane() {
    for (;;) {
      const vmId = this.next();
      this.busy.add(vmId);
      const isUp = this.up.delete(vmId);
      await run(this.manager, isUp ? 'teardown' : 'setup', vmId);
      if (!isUp) this.up.add(vmId);
      this.busy.delete(vmId);
    }
  }
}

/** @param {NetworkManager} manager */
async function clear(manager) {
  const { failed } = await manager.gc({ keep: [] });
  await manager.close();
  say({ cleared: failed.map(({ error }) => plain(error)) });
}

process.on('disconnect', () => process.exit());
say({ started: true });
await once(process, 'message');
const manager = await NetworkManager.open({ verify: 'off', shutdown: 'leave', ...JSON.parse(text) });
const opened = await describe(manager);
const [word] = await Promise.all([once(process, 'message').then(([each]) => each), say({ opened })]);
if (word === 'clear') {
  await clear(manager);
  process.exit();
}
const load = new Load(
  manager,
  opened.found.map(({ vmId }) => vmId ?? ''),
  word.suspects,
);
await Promise.all(Array.from({ length: inFlight }, () => load.lane()));
