/** One life of a process that uses the library: `node scenarios.mjs SCENARIO OPTIONS-AS-JSON [ARGUMENT...]`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import { NetworkManager } from '../../dist/index.js';

const [scenario, text, ...args] = process.argv.slice(2);
const options = JSON.parse(text ?? '{}');
const say = (line) => process.stdout.write(`${line}\n`);
const open = (more = {}) => NetworkManager.open({ verify: 'off', ...options, ...more });

/** Set-ups that are under way, and what became of each; no rejection is left unhandled. */
function begin(manager, count, prefix = 'vm') {
  return Array.from({ length: count }, (_, index) =>
    manager.setup(`${prefix}-${index}`).then(
      () => 'done',
      (error) => error.code,
    ),
  );
}

const scenarios = {
  /** Ends in the middle of eight set-ups and a teardown. */
  async exit(delayMs) {
    const manager = await open();
    await manager.setup('old');
    begin(manager, 8);
    manager.teardown('old').catch(() => {});
    await sleep(Number(delayMs));
    process.exit(0);
  },

  async throw(delayMs) {
    const manager = await open();
    begin(manager, 8);
    await sleep(Number(delayMs));
    setImmediate(() => {
      throw new Error('nobody catches this');
    });
  },

  /** Waits for a signal with some VMs up, and more on their way. */
  async wait() {
    const manager = await open();
    await Promise.all(begin(manager, 3, 'old'));
    begin(manager, 8);
    setInterval(() => {}, 1_000);
    say('ready');
  },

  /** A signal with VMs up of two managers, of which one closes long after the other; `copy`: that one is another copy's. */
  async signal(copy) {
    delete process.env['VULCAN_NET_NATIVE']; // both would load that one
    const { NetworkManager: Other } = copy === undefined ? { NetworkManager } : await import(copy);
    const managers = [await open(), await Other.open({ verify: 'off', ...options })];
    await Promise.all(managers.flatMap((manager, index) => begin(manager, 1 + 31 * index, `of${index}`)));
    setInterval(() => {}, 1_000);
    process.kill(process.pid, 'SIGTERM');
  },

  /** A signal that the application listens to once: it has work left when its manager is closed. */
  async drain() {
    const manager = await open();
    await Promise.all(begin(manager, 2));
    const keepsRunning = setInterval(() => {}, 1_000);
    process.once('SIGTERM', async () => {
      await manager.close();
      await sleep(50);
      say('drained');
      clearInterval(keepsRunning);
    });
    process.kill(process.pid, 'SIGTERM');
  },

  /** A signal while the application closes its manager. */
  async closing() {
    const manager = await open();
    await Promise.all(begin(manager, 8));
    setInterval(() => {}, 1_000);
    manager.close();
    process.kill(process.pid, 'SIGTERM');
  },

  /** Workers that are terminated at all moments; this thread's own manager is none the worse for it. */
  async worker(rounds) {
    const manager = await open();
    const descriptors = [];
    for (let round = 0; round < Number(rounds); round++) {
      const worker = new Worker(fileURLToPath(import.meta.url), {
        argv: ['begin', text],
        stdout: true,
      });
      await new Promise((resolve) => worker.stdout.once('data', resolve));
      await sleep(round * 3);
      await worker.terminate();
      await manager.setup('own');
      await manager.teardown('own');
      descriptors.push((await import('node:fs')).readdirSync('/proc/self/fd').length);
    }
    say(JSON.stringify(descriptors));
    await manager.close();
  },

  async begin() {
    const manager = await open();
    begin(manager, 4, 'worker');
    say('ready');
  },

  /** What a manager's `open` comes to in a worker. */
  async opening() {
    const worker = new Worker(fileURLToPath(import.meta.url), { argv: ['outcome', text] });
    await new Promise((resolve) => worker.once('exit', resolve));
  },

  async outcome() {
    say(
      await open().then(
        () => 'opened',
        ({ code, message }) => `${code}: ${message}`,
      ),
    );
  },

  /** Closes at once; the process has nothing more to do. */
  async close(delayMs) {
    const manager = await open();
    const [done] = await Promise.all(begin(manager, 1, 'old'));
    // More than begin in one turn of the event loop.
    const begun = begin(manager, 48);
    if (delayMs !== '0') await sleep(Number(delayMs));
    const [closed, again] = [manager.close(), manager.close()];
    say(JSON.stringify({ done, same: closed === again, ended: await Promise.all(begun) }));
    await closed;
  },

  /** A second copy of the package, which has a second copy of the addon. */
  async copies(copy) {
    delete process.env['VULCAN_NET_NATIVE']; // both would load that one
    const other = await import(copy);
    const managers = [await open(), await other.NetworkManager.open({ verify: 'off', ...options })];
    const both = await Promise.all(managers.map((manager) => begin(manager, 1, 'contested')[0]));
    const own = await Promise.all(managers.flatMap((manager, index) => begin(manager, 4, `copy${index}`)));
    const lists = await Promise.all(managers.map(async (manager) => (await manager.list()).length));
    say(
      JSON.stringify({ both: both.sort(), own, lists, different: other.NetworkManager !== NetworkManager }),
    );
    await Promise.all(managers.map((manager) => manager.close()));
  },

  /** Nobody refers to the manager any more, with its VM up; the process has nothing more to do. */
  async forget() {
    const forgotten = await (async () => {
      const manager = await open();
      await manager.setup('forgotten');
      return new WeakRef(manager);
    })();
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc');
    for (let tries = 0; forgotten.deref() !== undefined && tries < 3_000; tries++) {
      await sleep(10);
      collectGarbage();
    }
    say(forgotten.deref() === undefined ? 'collected' : 'kept');
  },

  /** Every verb once, and what each of them said. */
  async verbs() {
    const manager = await open();
    const net = await manager.setup('vm');
    const checked = await manager.check('vm');
    const listed = await manager.list();
    await manager.setup('other');
    const collected = await manager.gc({ keep: ['vm'] });
    const { findings } = await manager.verify();
    await manager.teardown('vm', { wait: true });
    await manager.setup('again');
    await manager.close();
    const again = await open();
    const left = await again.list();
    await again.removeNetwork();
    await again.close();
    say(JSON.stringify({ uid: process.getuid(), net, checked, listed, collected, findings, left }));
  },

  /** Nobody waits for anything: what is under way keeps the process alive, and then it ends. */
  async unawaited() {
    const manager = await open();
    begin(manager, 4);
  },
};

await scenarios[scenario](...args);
