/** Resident memory over many cycles, in a process of its own that does nothing else. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { median } from './stats.mjs';

const run = promisify(execFile);
const child = fileURLToPath(new URL('memory-child.mjs', import.meta.url));

/** @returns {Promise<{ samples: { cycles: number, residentBytes: number }[], ratio: number }>} `ratio`: last tenth to second tenth */
export async function measureMemory({ cycles, options }) {
  const { stdout } = await run(process.execPath, ['--expose-gc', child, JSON.stringify({ cycles, options })]);
  const samples = JSON.parse(stdout);
  const tenth = (index) => {
    const begin = (samples.length * index) / 10;
    return median(
      samples.slice(begin, begin + samples.length / 10).map(({ residentBytes }) => residentBytes),
    );
  };
  return { samples, ratio: tenth(9) / tenth(1) };
}
