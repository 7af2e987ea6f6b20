/** Every fault: each point of an operation is made to fail, and everything must be as before. */
import { setTimeout as sleep } from 'node:timers/promises';
import { canonicalDump } from '../dump.mjs';
import { traceFlag } from './control.mjs';
import { judge } from './judge.mjs';
import { operations } from './operations.mjs';
import { describe, errnoNumber, errnosOf, isPlugins, parsePoints } from './points.mjs';
import { optionsOf, Subject } from './subject.mjs';

const runsPerLine = 200;
const attempts = 4;
const settleMs = 200;

/** @typedef {import('./points.mjs').Point} Point */
/** @typedef {{ point: Point, errno: string }} Run where `errno` may be `SIGKILL`, for plugins */

/** In every way that it can fail, or in the likeliest and by a signal. @param {Point} point @param {boolean} thorough @returns {Run[]} */
function runsOf(point, thorough) {
  const errnos = errnosOf(point).filter((errno, index) => thorough || index === 0 || errno === 'EINTR');
  const killed = isPlugins(point) && (thorough || point.call === 'plugin') ? ['SIGKILL'] : [];
  return [...errnos, ...killed].map((errno) => ({ point, errno }));
}

class Proof {
  /** @param {'cni' | 'native'} backend @param {keyof typeof operations} name @param {boolean} thorough */
  constructor(backend, name, thorough) {
    this.backend = backend;
    this.name = name;
    this.operation = operations[name];
    this.options = optionsOf(backend, name);
    this.thorough = thorough;
    this.serial = 0;
    /** What was run for which VM: what is left over has its name. @type {Map<string, Run>} */
    this.runsById = new Map();
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
  }

  async unfaulted() {
    const { subject, operation, options } = this;
    const id = `vm-${this.serial++}`;
    await operation.before(subject, options, id);
    const lines = await subject.traced(operation.verb, operation.argument(options, id));
    await operation.after(subject, options, id, { value: { failed: [] }, error: null, hits: 0, logged: [] });
    return parsePoints(lines);
  }

  /** @param {Run} run */
  async one(run, attempt = 1) {
    const { point, errno } = run;
    const { subject, operation, options } = this;
    const id = `vm-${this.serial++}`;
    this.runsById.set(id, { point, errno });
    await operation.before(subject, options, id);
    const fault = errno === 'SIGKILL' ? { action: 'die' } : { action: 'fail', error: errnoNumber(errno) };
    const { key, ordinal } = point;
    subject.control.takeTrace();
    const place = { key, ordinal, ...fault };
    const outcome = await subject.faulted(operation.verb, operation.argument(options, id), place, traceFlag);
    if (outcome === null) throw new Error('the process ended');
    if (outcome.hits === 0 && attempt < attempts) {
      // A dump of links that are about to go takes more calls than one without them.
      await operation.after(subject, options, id, outcome);
      await sleep(settleMs);
      return this.one(run, attempt + 1);
    }
    if (outcome.hits === 0) this.missed += 1;
    // Chance may have put another call in its place.
    const traced = parsePoints(subject.control.takeTrace());
    const reached = traced.find((each) => each.key === key && each.ordinal === ordinal) ?? point;
    const { tolerated, problems } = judge(this.name, reached, errno, outcome);
    if (tolerated !== null) this.tolerated.set(tolerated, (this.tolerated.get(tolerated) ?? 0) + 1);
    for (const problem of problems) this.problems.push(`${describe(reached)}, ${errno}: ${problem}`);
    await operation.after(subject, options, id, outcome);
    // What was begun ahead for the next is used up, and what was lost is made anew.
    if (this.backend === 'native') await this.unfaulted();
  }

  /** The lines of what is left over that speak of the run's VM, or all where none does. @param {Run} run @param {string} text */
  share(run, text) {
    const id = [...this.runsById].findLast(([, each]) => each === run)?.[0];
    const lines = text.split('\n');
    const own = lines.filter((line) => new RegExp(`\\b${id}\\b`).test(line));
    return own.length === 0 ? text : [lines[0], ...own].join('\n');
  }

  /** @param {string} text @returns {Run[]} */
  named(text) {
    const ids = new Set([...text.matchAll(/\bvm-\d+/g)].map(([id]) => id));
    return [...ids].flatMap((id) => this.runsById.get(id) ?? []);
  }

  /** @param {readonly Run[]} runs */
  async group(runs) {
    const before = await canonicalDump();
    for (const run of runs) {
      await this.one(run).catch((error) => {
        this.problems.push(`${describe(run.point)}, ${run.errno}: afterwards ${error.message}`);
      });
    }
    const after = await canonicalDump({ expected: before });
    if (after === before) return;
    const culprits = runs.length > 1 ? this.named(difference(before, after)) : runs;
    if (culprits.length === 0) {
      const half = Math.ceil(runs.length / 2);
      await this.group(runs.slice(0, half));
      await this.group(runs.slice(half));
    } else {
      this.problems.push(
        ...culprits.map(
          (run) => `${describe(run.point)}, ${run.errno}: ${this.share(run, difference(before, after))}`,
        ),
      );
    }
  }
}

/** @param {string} before @param {string} after */
function difference(before, after) {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const gone = old.filter((line) => !now.includes(line)).map((line) => `\n    - ${line}`);
  const come = now.filter((line) => !old.includes(line)).map((line) => `\n    + ${line}`);
  return `not as before:${[...gone, ...come].join('')}`;
}

/**
 * @param {{ backend: 'cni' | 'native', operation: keyof typeof operations, thorough?: boolean,
 *   select?: (points: readonly Point[]) => readonly Point[], log?: (line: string) => void }} proof
 */
export async function proveFaults({
  backend,
  operation,
  thorough = false,
  select = (points) => points,
  log = () => {},
}) {
  const proof = new Proof(backend, operation, thorough);
  await proof.start();
  const points = await proof.unfaulted();
  const runs = select(points).flatMap((point) => runsOf(point, thorough));
  const { runsPerDump } = proof.operation;
  for (let first = 0; first < runs.length; first += runsPerDump) {
    await proof.group(runs.slice(first, first + runsPerDump));
    const done = Math.min(first + runsPerDump, runs.length);
    if (done % runsPerLine < runsPerDump || done === runs.length)
      log(`${backend} ${operation}: ${done} of ${runs.length} faults`);
  }
  await proof.operation.end(proof.subject, proof.options).catch((error) => {
    proof.problems.push(`at the end: ${error.message}`);
  });
  await proof.subject.end();
  return {
    points,
    runs: runs.length,
    missed: proof.missed,
    tolerated: proof.tolerated,
    problems: [...new Set(proof.problems)],
  };
}
