/** Every crash: the manager is killed at each point of an operation, and a new process brings the host back. */
import { Baseline } from './baseline.mjs';
import { traceFlag } from './control.mjs';
import { operations, optionsOf, titleOf } from './operations.mjs';
import { describe, mayBeMissed, parsePoints } from './points.mjs';
import { recover } from './recovery.mjs';
import { Subject } from './subject.mjs';

/** @typedef {import('./points.mjs').Point} Point */

const runsPerLine = 40;
/** A process takes longer to start than what is done with it. */
const startedAhead = 2;
const attempts = 8;

class Proof {
  /** @param {import('./operations.mjs').Case} of @param {boolean} thorough */
  constructor(of, thorough) {
    /** @type {import('./operations.mjs').Operation} */
    this.operation = operations[of.operation];
    this.options = optionsOf(of);
    this.thorough = thorough;
    this.serial = 0;
    this.baseline = new Baseline();
    /** @type {Promise<Subject>[]} */
    this.victims = [];
    /** @type {string[]} */
    this.problems = [];
  }

  /** On a host where others have set up VMs, as those that are killed. */
  async start() {
    this.survivor = new Subject();
    await this.operation.begin(this.survivor, this.options);
    await recover(this.survivor, this.operation, this.options, 'warm');
    const points = await this.points();
    await this.baseline.take();
    return points;
  }

  /** Those of a process that has done nothing else. */
  async points() {
    const { survivor, operation, options } = this;
    await operation.before(survivor, options, 'traced');
    const traced = await this.prepared(this.started(), 'traced');
    const lines = await traced.traced(operation, operation.argument(options, 'traced'));
    const outcome = { value: { failed: [], ready: 0 }, error: null, hits: 0, logged: [] };
    await operation.after(operation.opened === 'once' ? survivor : traced, options, 'traced', outcome);
    await traced.end();
    return parsePoints(lines).filter(operation.counts ?? (() => true));
  }

  async started() {
    const subject = new Subject();
    if (this.operation.opened === 'once') await subject.must('open', this.options);
    return subject;
  }

  /** Up to its verb. @param {Promise<Subject>} starting @param {string} id */
  async prepared(starting, id) {
    const subject = await starting;
    if (this.operation.opened === 'each run') await subject.must('open', this.options);
    await this.operation.ready(subject, id);
    return subject;
  }

  /** Others are started while it is killed and recovered from. @param {string} id */
  async victim(id) {
    while (this.victims.length <= startedAhead) this.victims.push(this.started());
    return this.prepared(/** @type {Promise<Subject>} */ (this.victims.shift()), id);
  }

  /** @param {Point} point */
  async one(point, attempt = 1) {
    const { survivor, operation, options } = this;
    const id = `vm-${this.serial++}`;
    await operation.before(survivor, options, id);
    const victim = await this.victim(id);
    const fault = { key: point.key, ordinal: point.ordinal, action: /** @type {const} */ ('crash') };
    const outcome = await victim.faulted(operation, operation.argument(options, id), fault, traceFlag);
    const trace = victim.control.takeTrace();
    await victim.end();
    await recover(survivor, operation, options, id);
    if (outcome === null || mayBeMissed(point)) return;
    // What it does more than others, or less, is chance.
    if (attempt < attempts) return this.one(point, attempt + 1);
    throw new Error(`was not reached, but\n${trace.join('\n')}`);
  }

  /** @param {Point} point */
  async checked(point) {
    await this.one(point).catch((error) => {
      this.problems.push(`${describe(point)}: ${error.message}`);
    });
    const difference = await this.baseline.difference({ linksMayGo: !this.thorough });
    if (difference !== '') this.problems.push(`${describe(point)}: ${difference}`);
  }

  async end() {
    for (const victim of this.victims) await (await victim).end();
    const difference = await this.baseline.difference();
    if (difference !== '') this.problems.push(`in the end ${difference}`);
    this.baseline.end();
    await this.operation.end(this.survivor, this.options).catch((error) => {
      this.problems.push(`at the end: ${error.message}`);
    });
    await this.survivor.end();
  }
}

/**
 * After each crash and the recovery from it there must be what was there before: at once all but links that the kernel has yet to
 * free, which are waited for in the end; `thorough`, each time.
 *
 * @param {import('./operations.mjs').Case} of
 * @param {{ thorough?: boolean, select?: (points: readonly Point[]) => readonly Point[], log?: (line: string) => void }} options
 */
export async function proveCrashes(
  of,
  { thorough = false, select = (points) => points, log = () => {} } = {},
) {
  const proof = new Proof(of, thorough);
  const points = await proof.start();
  const chosen = select(points);
  for (const [index, point] of chosen.entries()) {
    await proof.checked(point);
    const done = index + 1;
    if (done % runsPerLine === 0 || done === chosen.length)
      log(`${titleOf(of)}: ${done} of ${chosen.length} crashes`);
  }
  await proof.end();
  return { points, runs: chosen.length, problems: proof.problems };
}
