import { expect, it } from 'vitest';
import { fuzz, fuzzers } from '../support/fuzz.mjs';
import { describeWith } from '../support/require.ts';

const seconds = 5;

describeWith(['fuzzers'], 'fuzzers', () => {
  it.each(fuzzers)('%s has no failure in its corpus and what is found from there', async (name) => {
    expect(await fuzz(name, { seconds, seed: 1 })).toBeGreaterThan(1_000);
  });
});
