/** Chance that can be repeated. */

/**
 * For whoever prints it: another each time, unless `VULCAN_SEED` says which.
 *
 * @returns {number}
 */
export function chooseSeed() {
  const given = process.env['VULCAN_SEED'];
  return given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
}

/**
 * Numbers from 0 up to 1, the same for the same seed (mulberry32).
 *
 * @param {number} seed @returns {() => number}
 */
export function randomOf(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
