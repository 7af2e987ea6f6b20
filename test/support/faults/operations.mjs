/** What is made to fail, each with what it needs before, and how its effects go again when it succeeded: the one list of it all. */
import { rm } from 'node:fs/promises';
import { randomOf } from '../random.mjs';
import { poolOperations } from './pool-operations.mjs';
import { stepDir } from './subject.mjs';

/** @typedef {import('./subject.mjs').Subject} Subject */
/** @typedef {import('./subject.mjs').Outcome} Outcome */
/** @typedef {import('./points.mjs').Point} Point */

/** Lives from the beginning to the end. */
const kept = 'kept';

/**
 * @typedef {object} Operation
 * @property {string} verb
 * @property {object} options of the manager, beside those of all
 * @property {'once' | 'each run' | 'by the verb'} opened when the manager is
 * @property {boolean} logs what fails goes on behind the caller, and is logged
 * @property {string} [from] the call of the addon from which on points count; else from the verb's beginning
 * @property {string} [heldBack] a call of the addon that waits until points count no more
 * @property {(point: Point) => boolean} [counts] which points are its own; else all
 * @property {(subject: Subject, options: object) => Promise<void>} begin once, for any number of runs
 * @property {(subject: Subject, options: object, id: string) => Promise<void>} before each run
 * @property {(subject: Subject, id: string) => Promise<void>} ready each run, in the process of the verb, once its manager is open
 * @property {(options: object, id: string) => any} argument
 * @property {(subject: Subject, options: object, id: string, outcome: Outcome) => Promise<void>} after each run
 * @property {(subject: Subject) => Promise<void>} recovered after each crash and the recovery from it
 * @property {(subject: Subject, options: object) => Promise<void>} end of all runs
 */

const nothing = async () => {};

/** @param {Subject} subject @param {object} options */
const open = async (subject, options) => void (await subject.must('open', options));

/** @param {Subject} subject */
async function removeNetwork(subject) {
  await subject.must('removeNetwork');
  await subject.must('close');
}

/** A set-up that a crash has cut short: its namespace and its address, without a record. @param {Subject} subject @param {string} id */
async function leavePartial(subject, id) {
  await subject.must('setup', id);
  for (const stateDir of ['/run/cni', '/var/lib/cni']) {
    await rm(`${stateDir}/results/fcnet-${id}-eth0`, { force: true });
  }
}

/** @type {Pick<Operation, 'options' | 'opened' | 'logs' | 'begin' | 'before' | 'ready' | 'recovered' | 'end'>} */
const plain = {
  // Only `open` verifies, so that its points are in nothing else.
  options: { verify: 'off' },
  opened: 'once',
  logs: false,
  begin: open,
  before: nothing,
  ready: nothing,
  recovered: nothing,
  end: removeNetwork,
};

/** @satisfies {Record<string, Operation>} */
export const operations = {
  setup: {
    ...plain,
    verb: 'setup',
    argument: (_options, id) => id,
    after: async (subject, _options, id, { error }) => {
      if (error === null) await subject.must('teardown', id);
    },
  },
  teardown: {
    ...plain,
    verb: 'teardown',
    before: async (subject, _options, id) => void (await subject.must('setup', id)),
    argument: (_options, id) => id,
    after: async (subject, _options, id, { error }) => {
      if (error !== null) await subject.must('teardown', id);
    },
  },
  gc: {
    ...plain,
    verb: 'gc',
    begin: async (subject, options) => {
      await open(subject, options);
      await subject.must('setup', kept);
    },
    before: async (subject, _options, id) => {
      await subject.must('setup', `${id}-stale`);
      await leavePartial(subject, `${id}-partial`);
    },
    argument: () => [kept],
    after: async (subject, _options, _id, { error, value }) => {
      if (error === null && value.failed.length === 0) return;
      const { failed } = await subject.must('gc', [kept]);
      if (failed.length > 0) throw new Error(`gc fails again: ${JSON.stringify(failed)}`);
    },
    end: async (subject) => {
      await subject.must('teardown', kept);
      await removeNetwork(subject);
    },
  },
  open: {
    ...plain,
    options: {},
    opened: 'by the verb',
    verb: 'open',
    begin: nothing,
    argument: (options) => options,
    after: async (subject, _options, _id, { error }) => {
      if (error === null) await removeNetwork(subject);
    },
    recovered: removeNetwork,
    end: nothing,
  },
  ...poolOperations,
};
/** @typedef {keyof typeof operations} OperationName */

/** @typedef {'bridge' | 'bridges' | 'routed'} Layout */

/** @typedef {{ backend: 'cni' | 'native', operation: OperationName, layout: Layout }} Case */

/** @type {readonly OperationName[]} */
const ofEvery = ['setup', 'teardown', 'gc', 'open'];
const ofNative = /** @type {OperationName[]} */ (Object.keys(operations));
const ofPools = /** @type {OperationName[]} */ (Object.keys(poolOperations));

/** What each backend can do, on each layout that makes a difference to it. @type {readonly Case[]} */
export const cases = [
  ...ofNative.map((operation) => /** @type {Case} */ ({ backend: 'native', operation, layout: 'bridge' })),
  ...ofPools.flatMap((operation) =>
    /** @type {const} */ (['bridges', 'routed']).map((layout) => ({
      ...{ backend: /** @type {const} */ ('native'), operation, layout },
    })),
  ),
  ...ofEvery.map((operation) => /** @type {Case} */ ({ backend: 'cni', operation, layout: 'bridge' })),
];

/** Of the layouts that are not one bridge, one for each operation, chosen by chance. @param {number} seed @returns {readonly Case[]} */
export function someCases(seed) {
  const random = randomOf(seed);
  const chosen = new Map(ofPools.map((operation) => [operation, random() < 0.5 ? 'bridges' : 'routed']));
  return cases.filter(({ operation, layout }) => layout === 'bridge' || layout === chosen.get(operation));
}

/** @param {Case} each */
export const titleOf = ({ backend, operation, layout }) => `${operation}: ${backend}, ${layout}`;

/** Of the manager that an operation is watched in. @param {Case} each */
export function optionsOf({ backend, operation, layout }) {
  const ofBackend = backend === 'cni' ? { pluginDirs: [stepDir] } : {};
  const ofLayout = layout === 'bridge' ? {} : { layout };
  return { backend, timeoutMs: 60_000, ...ofBackend, ...ofLayout, ...operations[operation].options };
}
