/** The verbs that are made to fail, each with what it needs before, and how its effects go again when it succeeded. */
import { rm } from 'node:fs/promises';

/** @typedef {import('./subject.mjs').Subject} Subject */
/** @typedef {import('./subject.mjs').Outcome} Outcome */

/** Lives from the beginning to the end. */
const kept = 'kept';

/**
 * @typedef {object} Operation
 * @property {string} verb
 * @property {number} runsPerDump what one has left must not be able to go with the next
 * @property {(subject: Subject, options: object) => Promise<void>} begin once, for any number of runs
 * @property {(subject: Subject, options: object, id: string) => Promise<void>} before each run
 * @property {(options: object, id: string) => any} argument
 * @property {(subject: Subject, options: object, id: string, outcome: Outcome) => Promise<void>} after each run
 * @property {(subject: Subject, options: object) => Promise<void>} end
 */

const nothing = async () => {};

/** A dump takes as long as a dozen runs; what is left of a VM has its name. */
const runsPerDump = 40;

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

/** @type {Record<'setup' | 'teardown' | 'gc' | 'open', Operation>} */
export const operations = {
  setup: {
    verb: 'setup',
    runsPerDump,
    begin: open,
    before: nothing,
    argument: (_options, id) => id,
    after: async (subject, _options, id, { error }) => {
      if (error === null) await subject.must('teardown', id);
    },
    end: removeNetwork,
  },
  teardown: {
    verb: 'teardown',
    runsPerDump,
    begin: open,
    before: async (subject, _options, id) => void (await subject.must('setup', id)),
    argument: (_options, id) => id,
    after: async (subject, _options, id, { error }) => {
      if (error !== null) await subject.must('teardown', id);
    },
    end: removeNetwork,
  },
  gc: {
    verb: 'gc',
    runsPerDump,
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
    verb: 'open',
    runsPerDump: 1,
    begin: nothing,
    before: nothing,
    argument: (options) => options,
    after: async (subject, _options, _id, { error }) => {
      if (error === null) await removeNetwork(subject);
    },
    end: nothing,
  },
};
