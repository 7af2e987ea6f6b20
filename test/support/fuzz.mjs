/** Runs a fuzzer of the sanitizers' build on its stored corpus, and on what it finds from there. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** Where the inputs are kept that a fuzzer failed on. */
const failures = join(root, 'build/fuzz');

export const fuzzers = ['address', 'files', 'netlink', 'nft', 'plugin'];

/**
 * libnftnl follows null pointers where an expression of a rule or an element lacks what the kernel always sends: what is made
 * up from nf_tables' answers soon ends in the library, and not in our code.
 */
const corpusOnly = new Set(['nft']);

/** @param {string} name */
const fileOf = (name) => join(root, `build/asan/${name}_fuzz`);

/** @param {string} name */
export const corpusOf = (name) => join(root, 'test/native/fuzz/corpus', name);

export const hasFuzzers = () => fuzzers.every((name) => existsSync(fileOf(name)));

/**
 * Resolves with the number of inputs tried; rejects with what the sanitizer said, and where the input is.
 *
 * @param {string} name
 * @param {{ seconds: number, seed: number, log?: (line: string) => void }} options
 * @returns {Promise<number>}
 */
export async function fuzz(name, { seconds, seed, log = () => {} }) {
  await mkdir(failures, { recursive: true });
  const found = await mkdtemp(join(tmpdir(), `vulcan-fuzz-${name}-`));
  try {
    const child = spawn(
      fileOf(name),
      [
        ...[
          corpusOnly.has(name) ? '-runs=0' : `-max_total_time=${seconds}`,
          `-seed=${seed}`,
          '-timeout=10',
          '-print_final_stats=1',
        ],
        // What libnftnl had allocated when it wanted to end the process: see nft_fuzz.cc.
        ...(name === 'nft' ? ['-detect_leaks=0'] : []),
        ...[`-artifact_prefix=${failures}/${name}-`, found, corpusOf(name)],
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let output = '';
    child.stderr.on('data', (chunk) => {
      output = (output + chunk).slice(-64 * 1024);
      const pulse = /#(\d+)\s+pulse .*$/m.exec(String(chunk));
      if (pulse !== null) log(`${name}: ${pulse[1]} inputs`);
    });
    const status = await new Promise((resolve) => child.on('close', resolve));
    if (status !== 0) throw new Error(`${name}_fuzz failed:\n${output}`);
    return Number(/number_of_executed_units: (\d+)/.exec(output)?.[1]);
  } finally {
    await rm(found, { recursive: true });
  }
}
