/**
 * A process that runs verbs of a manager under the shim, one at a time, as its parent says: `subject.mjs` is the
 * other end. Each verb answers with what came of it and how often the chosen point was reached.
 */
import { basename } from 'node:path';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { resolveConfig } from '../../../dist/config/manager.js';
import { bundledPluginDirectory, loadNative } from '../../../dist/native/load.js';
import { NetworkManager } from '../../../dist/network-manager.js';
import { Control } from './control.mjs';

const pollMs = 2;
const control = Control.attach(process.env.VULCAN_FAULTS ?? '');

/** @param {string} name @param {any} plan */
function labelOf(name, plan) {
  if (name !== 'exec') return name;
  const command = plan.env.find((/** @type {string} */ each) => each.startsWith('CNI_COMMAND='));
  return `exec ${basename(plan.file)} ${command?.slice('CNI_COMMAND='.length)}`;
}

/** The calls in flight, by what they are; more than one where something is freed behind the caller. @type {Set<Promise<unknown>>} */
const inFlight = new Set();
/** @type {string[]} */
const labels = [];

/** @param {string} label @param {Promise<unknown>} call */
async function follow(label, call) {
  const ended = call.catch(() => {});
  inFlight.add(ended);
  await ended;
  inFlight.delete(ended);
  labels.splice(labels.indexOf(label), 1);
  control.label(labels.join(','));
}

/** By its handle: what was said last against keeping a slot, with the call as its step. @type {Map<number, any>} */
const refused = new Map();
const judging = new Set(['slotReturn', 'slotsCut', 'slotsProve', 'slotsEnter', 'slotsReset']);

/** @param {string} name @param {any} plan @param {Promise<any>} call */
async function followVerdicts(name, { slot, slots = [slot] }, call) {
  const verdicts = await call.then(
    (value) => (Array.isArray(value) ? value : (value.against ?? [])),
    (error) => [error],
  );
  for (const [index, handle] of slots.entries()) {
    const error = verdicts[index] ?? null;
    if (error === null) refused.delete(handle);
    else refused.set(handle, { ...plain(error), step: error.step ?? name });
  }
}

/** Begins to count points. */
const idle = () => {};
/** @type {{ from: string | null, begin: () => void, heldBack: string | null, over: Promise<void> }} */
let watch = { from: null, begin: idle, heldBack: null, over: Promise.resolve() };

/** These return no promise. @type {ReadonlySet<string | symbol>} */
const immediate = new Set(['cancel', 'slotForget']);

/** The addon; each call says first what it is. */
const binding = new Proxy(loadNative(), {
  get(target, name) {
    const value = Reflect.get(target, name);
    if (typeof value !== 'function' || immediate.has(name)) return value;
    return async (/** @type {any} */ plan) => {
      if (name === watch.heldBack) await watch.over;
      if (name === watch.from) watch.begin();
      const label = labelOf(String(name), plan);
      labels.push(label);
      control.label(labels.join(','));
      const call = value.call(target, plan);
      void follow(label, call);
      if (judging.has(String(name))) void followVerdicts(String(name), plan, call);
      return call;
    };
  },
});

/** What failed behind the callers. @type {any[]} */
const logged = [];
/** @param {any} fields */
const log = ({ err }) => void (err === undefined ? null : logged.push(plain(err)));
const logger = { debug: idle, info: idle, warn: log, error: log };

/** @param {object} options */
function open(options) {
  const host = { binding, bundledPluginDir: bundledPluginDirectory() };
  return NetworkManager.openOn(host, resolveConfig({ logger, shutdown: 'leave', ...options }));
}

/** @param {any} error @returns {object} */
function plain(error) {
  const { name, code, operation, step, errno, syscall, rolledBack, message, plugin, errors = [] } = error;
  return {
    name,
    code,
    operation,
    step,
    errno,
    syscall,
    rolledBack,
    message,
    plugin,
    errors: errors.map(plain),
  };
}

/** @type {NetworkManager | null} */
let manager = null;

/** Until what VMs have left is as new, or is gone. */
async function settled() {
  while (manager.stats().pools.some(({ resting }) => resting > 0)) await sleep(pollMs);
}

/** @type {Record<string, (argument: any) => Promise<unknown>>} */
const verbs = {
  open: async (options) => {
    const opened = await open(options);
    manager = opened;
  },
  close: async () => {
    await manager?.close();
    manager = null;
  },
  setup: (vmId) => manager.setup(vmId),
  teardown: (vmId) => manager.teardown(vmId),
  recycle: async (vmId) => {
    refused.clear();
    try {
      await manager.teardown(vmId);
    } finally {
      await settled();
    }
    return { refused: [...refused.values()], ready: manager.stats().pools[0]?.ready };
  },
  gc: async (keep) => {
    const { removed, failed } = await manager.gc({ keep });
    return {
      removed,
      failed: failed.map(({ vmId, error }) => ({ vmId, error: plain(error) })),
    };
  },
  list: () => manager.list(),
  check: (vmId) => manager.check(vmId),
  warmUp: () => manager.warmUp(),
  removeNetwork: () => manager.removeNetwork(),
};

/** @param {{ verb: string, argument: any, armed: boolean, from?: string, heldBack?: string, fault: any, flags: number }} request */
async function run({ verb, argument, armed, from = null, heldBack = null, fault, flags }) {
  let counting = false;
  const begin = () => {
    if (counting) return;
    counting = true;
    control.arm(fault, flags);
  };
  /** @type {() => void} */
  let end = idle;
  const over = new Promise((resolve) => {
    end = () => resolve(undefined);
  });
  watch = { from, begin, heldBack, over };
  if (armed && from === null) begin();
  const [value, error] = await verbs[verb](argument).then(
    (result) => [result, null],
    (reason) => [null, plain(reason)],
  );
  do {
    await Promise.all(inFlight);
    // Whoever waited for them goes on.
    await setImmediate();
  } while (inFlight.size > 0);
  const hits = counting ? control.disarm() : 0;
  watch = { from: null, begin: idle, heldBack: null, over };
  end();
  return { value, error, hits };
}

process.on('message', async (/** @type {any} */ request) => {
  process.send?.({ ...(await run(request)), logged: logged.splice(0) });
});
process.on('disconnect', () => process.exit());
process.send?.('ready');
