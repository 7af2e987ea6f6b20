/** What a warm pool does: its slots are filled, taken, thrown away, and destroyed. */
import { execFile } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { Subject } from './subject.mjs';

/** @typedef {import('./operations.mjs').Operation} Operation */

const execFileAsync = promisify(execFile);
const nothing = async () => {};
const trackedPort = 4321;

/** So long that the cut is over when it ends. */
const longRestMs = 50;

/** @param {number} size */
const pool = (size, restMs = 0) => ({ verify: 'off', pool: { min: size, max: size, restMs } });

/** Of a manager beside it. @param {object} options */
export const withoutPool = (options) => ({ ...options, pool: undefined });

/** @param {Subject} subject @param {object} options */
async function recoverFromAll(subject, options) {
  await subject.must('open', withoutPool(options));
  await subject.must('close');
}

/** @param {Subject} subject */
const warmUp = async (subject) => void (await subject.must('warmUp'));

/** Slots are all that there is, but for links that are about to go by themselves. */
async function spoilSlots() {
  for (;;) {
    const { stdout } = await execFileAsync('ip', ['-j', 'link', 'show']);
    const links = JSON.parse(stdout).filter(({ ifname }) => ifname.startsWith('vn'));
    if (links.length === 0) return;
    for (const { ifname } of links) await execFileAsync('ip', ['link', 'delete', ifname]).catch(() => {});
  }
}

/** Slots of a process that is no more. @param {object} options */
async function leaveDeadPool(options) {
  const owner = new Subject();
  await owner.must('open', { ...options, ...pool(1) });
  await warmUp(owner);
  owner.child.kill('SIGKILL');
  await owner.end();
}

/**
 * Where something has failed, what slots left is the next open's to remove; else nothing may be left.
 *
 * @type {Operation['after']}
 */
async function close(subject, options, _id, { error, logged }) {
  const closed = await subject.quietly('close');
  const failed = [error, closed.error, ...logged, ...closed.logged].some((each) => each !== null);
  if (failed) await recoverFromAll(subject, options);
}

/** @type {Operation['after']} */
async function tearDown(subject, options, id, outcome) {
  if (outcome.error === null) await subject.must('teardown', id);
  await close(subject, options, id, outcome);
}

/** The kernel may have yet to free what a slot was built with. @param {string} id */
async function untilNoSockets(id) {
  const count = ['netns', 'exec', `vulcan-${id}`, 'cat', '/proc/net/sockstat'];
  while (!(await execFileAsync('ip', count)).stdout.startsWith('sockets: used 0\n')) {}
}

/** A host that tracks no connection at all has none to be forgotten. */
async function trackConnection() {
  await writeFile('/proc/sys/net/netfilter/nf_conntrack_udp_timeout', '3600');
  const socket = createSocket('udp4').bind(trackedPort);
  await once(socket, 'listening');
  while ((await readFile('/proc/sys/net/netfilter/nf_conntrack_count', 'utf8')) === '0\n') {
    socket.send('', trackedPort, '127.0.0.1');
    await once(socket, 'message');
  }
  socket.close();
  await once(socket, 'close');
}

/** Whatever is ready now is as new. @param {Subject} subject @param {string} id @param {number} ready */
async function useUp(subject, id, ready) {
  const ids = Array.from({ length: ready }, (_, index) => `${id}-${index}`);
  for (const each of ids) {
    await subject.must('setup', each);
    const { ok, differences } = await subject.must('check', each);
    if (!ok) throw new Error(`${each} is not as new: ${JSON.stringify(differences)}`);
  }
  for (const each of ids) await subject.must('recycle', each);
}

/**
 * A pool of its own for each run.
 *
 * @type {Pick<Operation, 'opened' | 'logs' | 'begin' | 'before' | 'ready' | 'after' | 'recovered' | 'end'>}
 */
const pooled = {
  opened: 'each run',
  logs: true,
  begin: recoverFromAll,
  before: nothing,
  ready: warmUp,
  after: close,
  recovered: nothing,
  end: async (subject, options) => {
    await subject.must('close');
    await subject.must('open', withoutPool(options));
    await subject.must('removeNetwork');
    await subject.must('close');
  },
};

/** @type {Operation} */
const recycle = {
  ...pooled,
  options: pool(1),
  verb: 'recycle',
  heldBack: 'slotFill',
  // What is too much goes within a second.
  counts: ({ label }) => !label.split(',').includes('slotDestroy'),
  ready: async (subject, id) => {
    await warmUp(subject);
    await trackConnection();
    await subject.must('setup', id);
    await warmUp(subject);
    await untilNoSockets(id);
  },
  argument: (_options, id) => id,
  after: async (subject, options, id, outcome) => {
    if (outcome.error !== null) await subject.must('teardown', id);
    else await useUp(subject, id, outcome.value.ready);
    await close(subject, options, id, outcome);
  },
};

/** @satisfies {Record<string, Operation>} */
export const poolOperations = {
  fill: {
    ...pooled,
    options: pool(1),
    opened: 'by the verb',
    verb: 'open',
    from: 'slotFill',
    ready: nothing,
    argument: (options) => options,
  },
  take: {
    ...pooled,
    options: pool(1),
    logs: false,
    verb: 'setup',
    heldBack: 'slotFill',
    after: tearDown,
    argument: (_options, id) => id,
  },
  discard: {
    ...pooled,
    options: pool(2),
    verb: 'setup',
    heldBack: 'slotFill',
    counts: ({ key, label }) => key === 'control' && label.split(',').includes('slotDestroy'),
    ready: async (subject) => {
      await warmUp(subject);
      await spoilSlots();
    },
    after: tearDown,
    argument: (_options, id) => id,
  },
  recycle,
  destroy: {
    ...pooled,
    options: pool(2),
    verb: 'close',
    argument: () => null,
  },
  clear: {
    ...pooled,
    options: { verify: 'off' },
    opened: 'once',
    logs: false,
    verb: 'gc',
    from: 'guardList',
    // Whether gc looks a second time, and what there is to be cut, depends on how soon the kernel frees the links.
    counts: ({ label }) => label !== 'dump' && label !== 'linkSet',
    begin: async (subject, options) => void (await subject.must('open', options)),
    before: (_subject, options) => leaveDeadPool(options),
    ready: nothing,
    argument: () => [],
    after: async (subject, _options, _id, { error, value }) => {
      if (error !== null || value.failed.length > 0) await subject.must('gc', []);
    },
  },
  // A slot that rests is cut off for good meanwhile: that, and what takes it back, is all that is other than without a rest.
  rest: {
    ...recycle,
    options: pool(1, longRestMs),
    counts: ({ label }) => label.split(',').some((each) => each === 'slotsCut' || each === 'slotsReset'),
  },
};
