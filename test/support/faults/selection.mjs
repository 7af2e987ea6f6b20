/** Which points a run in CI takes. */
import { randomOf } from '../random.mjs';
import { isChance } from './points.mjs';

/** @typedef {import('./points.mjs').Point} Point */

/** Between two of the others a crash leaves the same. */
const changing = new Set([
  ...['message', 'mount', 'umount2', 'unshare', 'linkat', 'mkdir', 'renameat', 'renameat2', 'unlinkat'],
  ...['ftruncate', 'write', 'pwrite', 'ioctl', 'plugin', 'posix_spawn'],
]);

/** Both sides of each call that changes something. @param {readonly Point[]} points @returns {Point[]} */
export function crashPoints(points) {
  const steady = points.filter((point) => !isChance(point));
  return steady.filter((point, index) => {
    const before = steady[index - 1];
    const follows = before !== undefined && before.key === point.key && changing.has(before.call);
    return changing.has(point.call) || follows;
  });
}

/** A plugin's steps are each a kind of their own, and so is each type of message. @param {Point} point */
function kindOf({ key, call, subject }) {
  if (call === 'plugin') return `${key} ${subject}`;
  return call === 'message' ? `${call} ${subject}` : call;
}

/** @param {readonly Point[]} points @param {number} seed @returns {Point[]} */
function shuffle(points, seed) {
  const random = randomOf(seed);
  return points
    .map((point) => ({ point, rank: random() }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ point }) => point);
}

/** `count` of them, chosen by chance. @param {readonly Point[]} points @param {number} count @param {number} seed @returns {Point[]} */
export function few(points, count, seed) {
  const steady = points.filter((point) => !isChance(point));
  return shuffle(steady, seed).slice(0, count);
}

/**
 * `count` of them, chosen by chance; one of every kind at least, however many those are.
 *
 * @param {readonly Point[]} points @param {number} count @param {number} seed @returns {Point[]}
 */
export function sample(points, count, seed) {
  const shuffled = shuffle(points, seed);
  const kinds = new Map(shuffled.map((point) => [kindOf(point), point]));
  const ranked = [...new Set([...kinds.values(), ...shuffled])];
  const chosen = new Set(ranked.slice(0, Math.max(count, kinds.size)));
  return points.filter((point) => chosen.has(point));
}
