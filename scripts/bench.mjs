#!/usr/bin/env node
/**
 * The benchmark: `npm run bench [-- chain churn recovery scale setup] [--quick]`. Runs in a lab of its own; needs root, the built package, a C
 * compiler, Go, and what `scripts/test` installs. Results: tables on stdout; JSON and charts under test/bench/results.
 * `--quick` is for trying the benchmark out: too few rounds to say anything, results under build/bench/results.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { enterLab } from './support/lab.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** A lab has no network, by which Go would get what it lacks. What can't be built is left out, and said to be. */
async function buildPeers() {
  const { buildGoPeer } = await import('../test/bench/build.mjs');
  await buildGoPeer().catch(() => {});
}

if (process.env['VULCAN_LAB'] !== '1') await buildPeers();
enterLab();

const benchmarks = {
  chain: async (options) => (await import('../test/bench/chain.mjs')).chainBenchmark(options),
  churn: async (options) => (await import('../test/bench/churn.mjs')).churnBenchmark(options),
  recovery: async (options) => (await import('../test/bench/recovery.mjs')).recoveryBenchmark(options),
  scale: async (options) => (await import('../test/bench/scale.mjs')).scaleBenchmark(options),
  setup: async (options) => (await import('../test/bench/setup.mjs')).setupBenchmark(options),
};
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false } },
});
const names = positionals.length > 0 ? positionals : Object.keys(benchmarks);
const unknown = names.filter((name) => !(name in benchmarks));
if (unknown.length > 0) {
  console.error(`no benchmark named ${unknown.join(', ')}; there are: ${Object.keys(benchmarks).join(', ')}`);
  process.exit(64);
}

const { machineLine, saveJson } = await import('../test/bench/report.mjs');
const { findTools } = await import('../test/bench/tools.mjs');
const { quick } = values;
const resultsDir = join(root, quick ? 'build/bench/results' : 'test/bench/results');
const workDir = mkdtempSync(join(tmpdir(), 'vulcan-bench-'));
try {
  console.log(machineLine());
  if (quick) console.log('QUICK: too few rounds, for trying out only; these are no results');
  for (const name of names) {
    const results = await benchmarks[name]({ tools: { ...findTools(), workDir }, quick, resultsDir });
    await saveJson(join(resultsDir, `${name}.json`), { quick, ...results });
  }
} finally {
  rmSync(workDir, { recursive: true, force: true });
}
