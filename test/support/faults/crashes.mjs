/** Every crash: the manager is killed at each point of an operation, and a new process brings the host back. */
import { canonicalDump } from '../dump.mjs';
import { operations } from './operations.mjs';
import { describe, mayBeMissed, parsePoints } from './points.mjs';
import { recover } from './recovery.mjs';
import { optionsOf, Subject } from './subject.mjs';

/** @typedef {import('./points.mjs').Point} Point */

const groupSize = 40;
/** A process takes longer to start than what is done with it. */
const startedAhead = 2;

class Proof {
  /** @param {'cni' | 'native'} backend @param {keyof typeof operations} name */
  constructor(backend, name) {
    this.name = name;
    this.operation = operations[name];
    this.options = optionsOf(backend, name);
    this.serial = 0;
    /** @type {Promise<Subject>[]} */
    this.victims = [];
    /** @type {string[]} */
    this.problems = [];
  }

  /** Those of a process that has done nothing else, on a host where others have, as the ones that are killed. */
  async points() {
    const { survivor, operation, options } = this;
    if (operation.verb !== 'open') {
      await survivor.must('setup', 'warm');
      await survivor.must('teardown', 'warm');
    }
    await operation.before(survivor, options, 'traced');
    const traced = await this.prepare();
    const lines = await traced.traced(operation.verb, operation.argument(options, 'traced'));
    const outcome = { value: { failed: [] }, error: null, hits: 0, logged: [] };
    await operation.after(operation.verb === 'open' ? traced : survivor, options, 'traced', outcome);
    await traced.end();
    return parsePoints(lines);
  }

  async start() {
    this.survivor = new Subject();
    await this.operation.begin(this.survivor, this.options);
  }

  async prepare() {
    const victim = new Subject();
    if (this.operation.verb !== 'open') await victim.must('open', this.options);
    return victim;
  }

  /** Others are started while it is killed and recovered from. */
  async victim() {
    while (this.victims.length <= startedAhead) this.victims.push(this.prepare());
    return /** @type {Promise<Subject>} */ (this.victims.shift());
  }

  /** @param {Point} point */
  async one(point) {
    const { survivor, operation, options } = this;
    const id = `vm-${this.serial++}`;
    await operation.before(survivor, options, id);
    const victim = await this.victim();
    const fault = { key: point.key, ordinal: point.ordinal, action: /** @type {const} */ ('crash') };
    const outcome = await victim.faulted(operation.verb, operation.argument(options, id), fault);
    await victim.end();
    if (outcome !== null && !mayBeMissed(point)) throw new Error('was not reached');
    await recover(survivor, this.name, options, id);
  }

  /** @param {readonly Point[]} points */
  async group(points) {
    const before = await canonicalDump();
    for (const point of points) {
      await this.one(point).catch((error) => {
        this.problems.push(`${describe(point)}: ${error.message}`);
      });
    }
    const after = await canonicalDump({ expected: before });
    if (after === before) return;
    if (points.length > 1) {
      const half = Math.ceil(points.length / 2);
      await this.group(points.slice(0, half));
      await this.group(points.slice(half));
    } else {
      const [old, now] = [before.split('\n'), after.split('\n')];
      const gone = old.filter((line) => !now.includes(line)).map((line) => `\n    - ${line}`);
      const come = now.filter((line) => !old.includes(line)).map((line) => `\n    + ${line}`);
      for (const point of points)
        this.problems.push(`${describe(point)}: not as before${[...gone, ...come].join('')}`);
    }
  }
}

/**
 * @param {{ backend: 'cni' | 'native', operation: keyof typeof operations, log?: (line: string) => void,
 *   select?: (points: readonly Point[]) => readonly Point[] }} proof
 */
export async function proveCrashes({ backend, operation, log = () => {}, select = (points) => points }) {
  const proof = new Proof(backend, operation);
  await proof.start();
  const points = await proof.points();
  const chosen = select(points);
  for (let first = 0; first < chosen.length; first += groupSize) {
    await proof.group(chosen.slice(first, first + groupSize));
    log(`${backend} ${operation}: ${Math.min(first + groupSize, chosen.length)} of ${chosen.length} crashes`);
  }
  await proof.operation.end(proof.survivor, proof.options).catch((error) => {
    proof.problems.push(`at the end: ${error.message}`);
  });
  await proof.survivor.end();
  for (const victim of proof.victims) await (await victim).end();
  return { points, runs: chosen.length, problems: proof.problems };
}
