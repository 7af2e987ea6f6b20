import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { corpusOf, fuzz, fuzzers } from '../support/fuzz.mjs';
import { describeWith } from '../support/require.ts';

/**
 * libnftnl follows null pointers where an expression of a rule or an element lacks what the kernel always sends, so what
 * is made up from nf_tables' answers soon ends in the library and not in our code: here it gets the answers as recorded.
 */
const secondsOf = (name: string) => (name === 'nft' ? 0 : 5);

describeWith(['fuzzers'], 'fuzzers', () => {
  it.each(fuzzers)('%s has no failure in its corpus and what is found from there', async (name) => {
    const inputs = await readdir(corpusOf(name));
    expect(inputs.length).toBeGreaterThan(0);
    expect(await fuzz(name, { seconds: secondsOf(name), seed: 1 })).toBeGreaterThanOrEqual(inputs.length);
  });
});
