#!/usr/bin/env node
/**
 * The long proofs: `npm run proof [-- NAME...] [--quick] [--seed N] [--only TEXT]`. Each is a file of test/proof, which exports
 * `prove({ quick, seed, only, log })`: it logs its progress, throws when it fails, and returns what it has shown in a few words.
 * They run in a lab of their own; they need root, the built package, and what `scripts/test` installs. `--quick`
 * is a short form, for trying a proof out; `--only TEXT` takes of `faults` and `crashes` the operations that have it in their title.
 */
import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { enterLab } from './support/lab.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const proofs = join(root, 'test/proof');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    seed: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const known = readdirSync(proofs)
  .filter((file) => file.endsWith('.mjs'))
  .map((file) => basename(file, '.mjs'))
  .sort();
const names = positionals.length > 0 ? positionals : known;
const unknown = names.filter((name) => !known.includes(name));
if (unknown.length > 0 || !Number.isSafeInteger(seed)) {
  console.error(
    `usage: proof.mjs [NAME...] [--quick] [--seed NUMBER] [--only TEXT]; the proofs are: ${known.join(', ')}`,
  );
  process.exit(64);
}

enterLab();
process.chdir(root);
const since = (began) => `${((performance.now() - began) / 1000).toFixed(1).padStart(8)} s`;

const failed = [];
for (const name of names) {
  const began = performance.now();
  const log = (line) => console.log(`  .... ${since(began)}  ${name}: ${line}`);
  try {
    const { prove } = await import(join(proofs, `${name}.mjs`));
    const shown = await prove({ quick: values.quick, seed, only: values.only, log });
    console.log(`  ok   ${since(began)}  ${name}: ${shown}`);
  } catch (error) {
    failed.push(name);
    console.log(`  FAIL ${since(began)}  ${name} (--seed ${seed})`);
    console.log(String(error.stack ?? error).replace(/^/gm, '    | '));
  }
}
console.log(`${names.length - failed.length} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;
