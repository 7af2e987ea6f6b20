/** Every fuzzer, one after the other, for ten minutes each. */
import { fuzz, fuzzers, hasFuzzers } from '../support/fuzz.mjs';

export async function prove({ quick, seed, log }) {
  if (!hasFuzzers()) throw new Error('build the fuzzers first: npm run build:dev asan');
  const seconds = quick ? 5 : 600;
  const tried = [];
  for (const name of fuzzers) {
    const inputs = await fuzz(name, { seconds, seed, log });
    log(`${name}: ${inputs} inputs, and no failure`);
    tried.push(`${name} ${inputs}`);
  }
  return `no failure in ${seconds} s each: ${tried.join(', ')} inputs`;
}
