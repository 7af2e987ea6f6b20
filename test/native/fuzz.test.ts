import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { corpusOf, fuzz, fuzzers } from '../support/fuzz.mjs';
import { describeWith } from '../support/require.ts';

describeWith(['fuzzers'], 'fuzzers', () => {
  it.each(fuzzers)('%s has no failure in its corpus and what is found from there', async (name) => {
    const inputs = await readdir(corpusOf(name));
    expect(inputs.length).toBeGreaterThan(0);
    expect(await fuzz(name, { seconds: 5, seed: 1 })).toBeGreaterThanOrEqual(inputs.length);
  });
});
