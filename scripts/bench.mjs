#!/usr/bin/env node
/**
 * The benchmark: `npm run bench [-- chain] [--rounds N] [--vms N]`. Runs in a lab of its own, needs root, the built package
 * and what `scripts/test` installs. Results: tables on stdout, JSON under test/bench/results.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const root = fileURLToPath(new URL('..', import.meta.url));

function enterLab() {
  const again = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const { status, error } = spawnSync(join(root, 'scripts/lab'), ['--', process.execPath, ...again], {
    stdio: 'inherit',
  });
  if (error) throw error;
  process.exit(status ?? 1);
}

if (process.env['VULCAN_LAB'] !== '1') enterLab();

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '10' }, vms: { type: 'string', default: '10' } },
});
const names = positionals.length > 0 ? positionals : ['chain'];
const benchmarks = {
  chain: async (options) => (await import('../test/bench/chain.mjs')).chainBenchmark(options),
};

const { printMachine, saveJson } = await import('../test/bench/report.mjs');
const { findTools } = await import('../test/bench/tools.mjs');
const workDir = mkdtempSync(join(tmpdir(), 'vulcan-bench-'));
try {
  printMachine();
  for (const name of names) {
    const benchmark = benchmarks[name];
    if (!benchmark)
      throw new Error(`no benchmark named ${name}; there are: ${Object.keys(benchmarks).join(', ')}`);
    const results = await benchmark({
      tools: { ...findTools(), workDir },
      rounds: Number(values.rounds),
      vms: Number(values.vms),
    });
    await saveJson(join(root, `test/bench/results/${name}.json`), results);
  }
} finally {
  rmSync(workDir, { recursive: true, force: true });
}
