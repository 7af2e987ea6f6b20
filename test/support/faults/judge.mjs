/** What may come of an operation in which one point has failed. */
import { mayBeMissed } from './points.mjs';
import { reasonToTolerate } from './tolerated.mjs';

/** @typedef {import('./points.mjs').Point} Point */
/** @typedef {import('./subject.mjs').Outcome} Outcome */

const native = [
  'lock',
  'address',
  'bridge',
  'firewall',
  'record',
  'guard',
  'anchor',
  'tap',
  'link',
  'inside',
  'up',
  'cut',
];

/** Links, routes or addresses are listed for each of these. */
const dumping = [
  ...['conflist', 'bridge', 'firewall', 'route', 'routes', 'uplink', 'guard', 'verify'],
  ...['result', 'alias', 'link', 'cut', 'anchor'],
];

/** Which step an error must name, by what the manager was doing. */
const stepsByLabel = [
  { label: /^lock/, steps: ['lock', 'pool'] },
  { label: /^(anchor|isHostNamespace)/, steps: ['anchor'] },
  { label: /^mountState$/, steps: ['anchor', 'verify'] },
  { label: /^linkSet$/, steps: ['alias', 'cut'] },
  { label: /^linkDelete$/, steps: ['link'] },
  { label: /^dump$/, steps: dumping },
  { label: /^bridge/, steps: ['bridge'] },
  { label: /^firewallCheck$/, steps: ['firewall', 'verify'] },
  { label: /^guardCheck$/, steps: ['guard', 'verify'] },
  { label: /^firewall/, steps: ['firewall'] },
  { label: /^sysctlWrite$/, steps: ['forwarding'] },
  { label: /^(capabilities|probe|foreignChains|legacyForeignChains)$/, steps: ['verify'] },
  { label: /^sysctlRead$/, steps: ['bridge', 'forwarding', 'verify'] },
  { label: /^(attach|detach)$/, steps: native },
  { label: /^slotFill$/, steps: [...native, 'slot'] },
  { label: /^slotName$/, steps: ['lock', 'slot', 'firewall', 'record', 'anchor', 'address'] },
  { label: /^slotReturn$/, steps: ['lock', 'record', 'cut', 'anchor', 'address'] },
  { label: /^slotsProve$/, steps: ['slotsProve'] },
  { label: /^slotsCut$/, steps: ['slotsCut'] },
  { label: /^slotsEnter$/, steps: ['slotsEnter'] },
  { label: /^slotsReset$/, steps: ['slotsReset'] },
  { label: /^slotDestroy$/, steps: ['cut', 'guard', 'route', 'address'] },
];

/** Nothing: any will do. @param {string} label @returns {readonly string[] | null} */
function stepsOf(label) {
  const [, plugin] = /^exec (\S+ \S+)$/.exec(label) ?? [];
  if (plugin !== undefined) return [`plugin:${plugin}`];
  return stepsByLabel.find((each) => each.label.test(label))?.steps ?? null;
}

/** Of all calls in flight. @param {Point} point @returns {readonly string[] | null} */
function expectedSteps({ label }) {
  const steps = label.split(',').map(stepsOf);
  return steps.includes(null) ? null : steps.flatMap((each) => each ?? []);
}

/** @param {Point} point @param {any} error */
function judgeError(point, { name, code, step, message }) {
  if (name !== 'NetworkError') return [`leaves the package as ${name}: ${message}`];
  if (code === 'ERR_TIMEOUT' || code === 'ERR_LOCK_TIMEOUT') return [`took too long: ${message}`];
  if (step === undefined) return [`has no step: ${code} ${message}`];
  const steps = expectedSteps(point);
  if (steps === null || steps.includes(step)) return [];
  return [`names step ${step}, not ${steps.join(' or ')}: ${message}`];
}

/** Of what is logged, which need not be an error of the package. @param {Point} point @param {any} error */
function judgeLogged(point, error) {
  const undone = error.rolledBack === false ? [`what failed was not undone: ${error.message}`] : [];
  return [...judgeError(point, { ...error, name: 'NetworkError' }), ...undone];
}

/** What failed of an operation that went on. @param {import('./operations.mjs').Operation} operation @param {Outcome} outcome @returns {any[]} */
function failuresOf({ verb, logs }, { value, logged }) {
  return [
    ...(verb === 'gc' ? value.failed.map((/** @type {any} */ each) => each.error) : []),
    ...(verb === 'recycle' ? value.refused : []),
    ...(logs ? logged : []),
  ];
}

/**
 * @param {import('./operations.mjs').Operation} operation @param {Point} point @param {string} errno @param {Outcome} outcome
 * @returns {{ tolerated: string | null, problems: readonly string[] }}
 */
export function judge(operation, point, errno, outcome) {
  const { error, hits } = outcome;
  if (hits === 0) return { tolerated: null, problems: mayBeMissed(point) ? [] : ['was not reached'] };
  if (error !== null) {
    const complete = operation.verb !== 'setup' || error.rolledBack === true;
    const undone = complete ? [] : [`rolledBack is ${error.rolledBack}: ${error.message}`];
    return { tolerated: null, problems: [...judgeError(point, error), ...undone] };
  }
  const failures = failuresOf(operation, outcome);
  if (failures.length > 0) {
    return { tolerated: null, problems: failures.flatMap((each) => judgeLogged(point, each)) };
  }
  const reason = reasonToTolerate(point, errno);
  return { tolerated: reason, problems: reason === null ? ['succeeds all the same'] : [] };
}
