/** Every fault: each point of an operation is made to fail, and everything must be as before. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Baseline } from './baseline.mjs';
import { traceFlag } from './control.mjs';
import { judge } from './judge.mjs';
import { operations, optionsOf, titleOf } from './operations.mjs';
import { commonPoints, describe, errnoNumber, errnosOf, isPlugins, parsePoints } from './points.mjs';
import { Subject } from './subject.mjs';

const runsPerLine = 200;
const traces = 3;
const attempts = 8;
const settleMs = 200;

/**
 * So many faults, whose point chance has moved: at least those of one dump more, which a kernel that is slow to free
 * links has made the trace of, and no other run. @param {number} runs
 */
export const mostMissed = (runs) => Math.max(6, runs / 10);

/** @typedef {import('./points.mjs').Point} Point */
/** @typedef {{ point: Point, errno: string }} Run where `errno` may be `SIGKILL`, for plugins */

/** In every way that it can fail, or in the likeliest and by a signal. @param {Point} point @param {boolean} thorough @returns {Run[]} */
function runsOf(point, thorough) {
  const errnos = errnosOf(point).filter((errno, index) => thorough || index === 0 || errno === 'EINTR');
  const killed = isPlugins(point) && (thorough || point.call === 'plugin') ? ['SIGKILL'] : [];
  return [...errnos, ...killed].map((errno) => ({ point, errno }));
}

/** In another run. @param {Point} a @param {Point} b */
const isSame = (a, b) => a.key === b.key && a.ordinal === b.ordinal && a.call === b.call;

class Proof {
  /** @param {import('./operations.mjs').Case} of @param {boolean} thorough */
  constructor(of, thorough) {
    this.backend = of.backend;
    /** @type {import('./operations.mjs').Operation} */
    this.operation = operations[of.operation];
    this.options = optionsOf(of);
    this.thorough = thorough;
    this.serial = 0;
    this.baseline = new Baseline();
    /** @type {string[]} */
    this.problems = [];
    this.missed = 0;
    /** Runs by the reason for which they succeeded. @type {Map<string, number>} */
    this.tolerated = new Map();
  }

  async start() {
    this.subject = new Subject();
    await this.operation.begin(this.subject, this.options);
    for (let i = 0; i < 2; i += 1) await this.unfaulted();
    await this.baseline.take();
  }

  /** @param {string} id */
  async before(id) {
    const { subject, operation, options } = this;
    await operation.before(subject, options, id);
    if (operation.opened === 'each run') await subject.must('open', options);
    await operation.ready(subject, id);
  }

  async unfaulted() {
    const { subject, operation, options } = this;
    const id = `vm-${this.serial++}`;
    await this.before(id);
    const lines = await subject.traced(operation, operation.argument(options, id));
    await operation.after(subject, options, id, {
      value: { failed: [], ready: 0 },
      error: null,
      hits: 0,
      logged: [],
    });
    return parsePoints(lines).filter(operation.counts ?? (() => true));
  }

  async points() {
    const points = await this.unfaulted();
    const others = [];
    while (others.length < traces - 1) others.push(await this.unfaulted());
    return commonPoints(points, others);
  }

  /** @param {Run} run */
  async one(run, attempt = 1) {
    const { point, errno } = run;
    const { subject, operation, options } = this;
    const id = `vm-${this.serial++}`;
    await this.before(id);
    const fault = errno === 'SIGKILL' ? { action: 'die' } : { action: 'fail', error: errnoNumber(errno) };
    const { key, ordinal } = point;
    subject.control.takeTrace();
    const place = { key, ordinal, ...fault };
    const outcome = await subject.faulted(operation, operation.argument(options, id), place, traceFlag);
    if (outcome === null) throw new Error('the process ended');
    // Chance may have put another call in its place, or none.
    const traced = parsePoints(subject.control.takeTrace());
    const reached = traced.find((each) => each.key === key && each.ordinal === ordinal) ?? point;
    const isMissed = outcome.hits === 0 || !isSame(reached, point);
    if (isMissed && attempt < attempts) {
      // A dump of links that are about to go takes more calls than one without them.
      await operation.after(subject, options, id, outcome);
      await sleep(settleMs);
      return this.one(run, attempt + 1);
    }
    if (isMissed) this.missed += 1;
    const { tolerated, problems } = judge(operation, reached, errno, outcome);
    if (tolerated !== null) this.tolerated.set(tolerated, (this.tolerated.get(tolerated) ?? 0) + 1);
    await operation.after(subject, options, id, outcome);
    if (isMissed && problems.length > 0 && !(await this.isSteady(point))) return;
    for (const problem of problems) this.problems.push(`${describe(reached)}, ${errno}: ${problem}`);
    // What was begun ahead for the next is used up, and what was lost is made anew.
    if (this.backend === 'native' && operation.opened === 'once') await this.unfaulted();
  }

  /** Whether it still is where it was; what was chance in the first traces is no more. @param {Point} point */
  async isSteady(point) {
    for (let i = 0; i < traces; i += 1) {
      const points = await this.unfaulted();
      if (!points.some((each) => isSame(each, point))) return false;
    }
    return true;
  }

  /** @param {Run} run */
  async checked(run) {
    await this.one(run).catch((error) => {
      this.problems.push(`${describe(run.point)}, ${run.errno}: afterwards ${error.message}`);
    });
    const difference = await this.baseline.difference({ linksMayGo: !this.thorough });
    if (difference !== '') this.problems.push(`${describe(run.point)}, ${run.errno}: ${difference}`);
  }

  async end() {
    const { subject, operation, options } = this;
    const difference = await this.baseline.difference();
    if (difference !== '') this.problems.push(`in the end ${difference}`);
    this.baseline.end();
    await operation.end(subject, options).catch((error) => {
      this.problems.push(`at the end: ${error.message}`);
    });
    await subject.end();
  }
}

/**
 * After each fault there must be what was there before: at once all but links that the kernel has yet to free, which are waited
 * for in the end; `thorough`, each time.
 *
 * @param {import('./operations.mjs').Case} of
 * @param {{ thorough?: boolean, select?: (points: readonly Point[]) => readonly Point[], log?: (line: string) => void }} options
 */
export async function proveFaults(
  of,
  { thorough = false, select = (points) => points, log = () => {} } = {},
) {
  const proof = new Proof(of, thorough);
  await proof.start();
  const points = await proof.points();
  const runs = select(points).flatMap((point) => runsOf(point, thorough));
  for (const [index, run] of runs.entries()) {
    await proof.checked(run);
    const done = index + 1;
    if (done % runsPerLine === 0 || done === runs.length)
      log(`${titleOf(of)}: ${done} of ${runs.length} faults`);
  }
  await proof.end();
  const { missed, tolerated, problems } = proof;
  return { points, runs: runs.length, missed, tolerated, problems: [...new Set(problems)] };
}
