/** Thousands of set-ups and teardowns, and everything is where it began. */
import { execFile } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual, promisify } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { canonicalDump } from '../support/dump.mjs';
import { grownCaches, slabObjects } from '../support/slab.mjs';

const execFileAsync = promisify(execFile);
const live = 50;
/** The loopback and the bridge. */
const ownLinks = 2;
const inFlight = 4;
/**
 * Until the heap, the allocator's pools and the kernel's caches have their size; of the cycles, and at least. V8's young
 * generation is the last: by `native` it takes up to 3,000 cycles.
 */
const warmUp = { share: 0.2, cycles: 200 };
const patienceMs = 60_000;
const rest = { rounds: 5, pauseMs: 500 };
const quiet = { looks: 8, pauseMs: 750 };
/** What the allocator and the heap may keep of the pages that they once had. */
const residentSlackBytes = 8 * 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

const filesIn = async (directory) => (await readdir(directory, { recursive: true }).catch(() => [])).length;

async function linkCount() {
  const { stdout } = await execFileAsync('ip', ['-j', 'link', 'show']);
  return JSON.parse(stdout).length;
}

async function elementCount() {
  const { stdout } = await execFileAsync('nft', ['-j', 'list', 'ruleset'], { maxBuffer: 64 * 1024 * 1024 });
  const sizes = JSON.parse(stdout).nftables.map(({ set, map }) => (set ?? map)?.elem?.length ?? 0);
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function counts() {
  return {
    descriptors: (await readdir('/proc/self/fd')).length,
    threads: (await readdir('/proc/self/task')).length,
    anchors: await filesIn('/run/netns'),
    links: await linkCount(),
    elements: await elementCount(),
    addresses: await filesIn('/run/cni'),
    records: await filesIn('/var/lib/cni'),
  };
}

/**
 * At rest, when the kernel has freed what was torn down. How many namespaces are made ahead hangs on how fast set-ups follow
 * each other: after some that stood alone there are as many as there ever will be.
 */
async function countsAtRest(fleet, isExpected) {
  const deadline = performance.now() + patienceMs;
  for (let rounds = 1; ; rounds += 1) {
    await fleet.run(1, () => {});
    await sleep(rest.pauseMs);
    const now = await counts();
    if (rounds >= rest.rounds && (isExpected(now) || performance.now() > deadline)) return now;
  }
}

/** The oldest VM makes room for each new one. */
class Fleet {
  #manager;
  #alive = [];
  #made = 0;

  constructor(manager) {
    this.#manager = manager;
  }

  /** @param {number} cycles @param {(done: number) => void} progress */
  async run(cycles, progress) {
    let begun = 0;
    let done = 0;
    const lane = async () => {
      while (begun < cycles) {
        begun++;
        const id = `soak-${++this.#made}`;
        if (this.#alive.length >= live) await this.#manager.teardown(this.#alive.shift());
        await this.#manager.setup(id);
        this.#alive.push(id);
        progress(++done);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, lane));
    while (this.#alive.length > live) await this.#manager.teardown(this.#alive.shift());
  }

  async clear() {
    await Promise.all(this.#alive.splice(0).map((id) => this.#manager.teardown(id, { wait: true })));
  }
}

function expectSame(what, before, after) {
  if (isDeepStrictEqual(after, before)) return;
  throw new Error(`${what}: before ${JSON.stringify(before)}, after ${JSON.stringify(after)}`);
}

function look() {
  const { rss, heapTotal, heapUsed } = process.memoryUsage();
  return { 'on the heap': heapUsed, 'beside the heap': rss - heapTotal, resident: rss };
}

/**
 * What is in use on the heap, and what is resident beside it, when it is least: V8 gives up what it kept for the young once
 * some seconds have passed in which little was allocated (Heap::ReduceNewSpaceSize of src/heap/heap.cc).
 */
async function memory() {
  let least = look();
  for (let looks = 0; looks < quiet.looks; looks += 1) {
    collectGarbage();
    await sleep(quiet.pauseMs);
    const now = look();
    if (now.resident < least.resident) least = now;
  }
  return least;
}

/** Bytes by which what is resident has grown. A heap that gave pages back makes what is beside it only seem to grow. */
function grownMemory(before, after) {
  const grown = Object.keys(before).map((kind) => [kind, after[kind] - before[kind]]);
  const [heap, beside, resident] = grown.map(([, bytes]) => bytes);
  if (Math.max(heap, Math.min(beside, resident)) <= residentSlackBytes) return resident;
  throw new Error(`memory grew: ${grown.map(([kind, bytes]) => `${kind} ${bytes} bytes`).join(', ')}`);
}

/**
 * Cycles of a manager with 50 VMs alive, and what is there around them. `slab` looks at the kernel of the whole machine,
 * where nothing else may be at work then.
 */
export async function soak({ manager, cycles, slab, log = () => {} }) {
  const fleet = new Fleet(manager);
  await fleet.run(1, () => {});
  await fleet.clear();
  const empty = await canonicalDump();

  await fleet.run(live + Math.max(warmUp.cycles, cycles * warmUp.share), () => {});
  const before = await countsAtRest(fleet, ({ links }) => links <= live + ownLinks);
  const objects = slab ? await slabObjects() : null;
  const memoryBefore = await memory();

  const step = Math.ceil(cycles / 20);
  await fleet.run(cycles, (done) => {
    if (done % step === 0) log(`${done} of ${cycles} cycles`);
  });

  const after = await countsAtRest(fleet, (now) => isDeepStrictEqual(now, before));
  expectSame(`with ${live} VMs alive`, before, after);
  const grownBytes = grownMemory(memoryBefore, await memory());
  if (objects !== null) {
    // A leak is an object of each cycle; what grew by less than half of that is somebody else's.
    const grown = grownCaches(objects, await slabObjects(), cycles / 2);
    if (grown.length > 0) throw new Error(`the kernel kept ${grown.join(', ')}`);
  }
  await fleet.clear();
  expectSame('with all VMs gone', empty, await canonicalDump({ expected: empty, timeoutMs: patienceMs }));
  return { counts: before, grownBytes };
}

async function proveOf(backend, cycles, { quick, log }) {
  const { NetworkManager } = await import('../../dist/index.js');
  const manager = await NetworkManager.open({ backend });
  try {
    const { counts, grownBytes } = await soak({ manager, cycles, slab: !quick, log });
    return `${cycles} cycles by ${backend} with ${live} alive, then as before: ${JSON.stringify(counts)}, resident ${(grownBytes / 1024).toFixed(0)} KiB more`;
  } finally {
    await manager.close();
  }
}

export async function prove(options) {
  const native = await proveOf('native', options.quick ? 500 : 20_000, options);
  const cni = await proveOf('cni', options.quick ? 100 : 2_000, options);
  return `${native}; ${cni}`;
}
