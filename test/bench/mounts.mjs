/** What the names of namespaces, which are mounts, cost whoever makes a mount namespace, as a jailer does for each VM. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { runAll } from './rounds.mjs';
import { summarize } from './stats.mjs';

const run = promisify(execFile);
const RUNS = Array.from({ length: 30 });

/** Milliseconds of `unshare -m true`, its start included, with as many names as there are now. */
export async function measureMounts() {
  const { samples } = await runAll(RUNS, 1, () => run('unshare', ['-m', 'true']));
  return summarize(samples);
}
