/** Which points a run in CI takes: those between which something may have changed. */
import { isChance, isPlugins } from './points.mjs';

/** @typedef {import('./points.mjs').Point} Point */

/** Between two of the others a crash leaves the same. */
const changing = new Set([
  ...['message', 'mount', 'umount2', 'unshare', 'linkat', 'mkdir', 'renameat', 'renameat2', 'unlinkat'],
  ...['ftruncate', 'write', 'ioctl', 'plugin', 'posix_spawn'],
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

/**
 * One of every `n`: for what is started anew hundreds of times. Plugins' own steps are all taken.
 *
 * @param {readonly Point[]} points @param {number} n @returns {Point[]}
 */
export function sample(points, n) {
  return points.filter((point, index) => index % n === 0 || (isPlugins(point) && point.call === 'plugin'));
}
