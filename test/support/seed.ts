/** A failure of fast-check prints its seed, and `VULCAN_SEED` repeats it. */
const seed = process.env['VULCAN_SEED'];
if (seed !== undefined) {
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ seed: Number(seed) });
}

export {};
