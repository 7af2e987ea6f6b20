/** Where the time goes: what a missed target is shown with. */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { runAll } from './rounds.mjs';
import { settle } from './settle.mjs';

const run = promisify(execFile);
const VMS = 300;
const ATTACH_MS = 1_000;
const LINES = 60;

/** Runs a round of set-ups and tear-downs while `file` watches; what it printed. */
async function watch(contender, label, file, args) {
  const watcher = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = [];
  for (const stream of [watcher.stdout, watcher.stderr]) stream.on('data', (chunk) => printed.push(chunk));
  const ended = once(watcher, 'close');
  await sleep(ATTACH_MS);
  const ids = Array.from({ length: VMS }, (_, vm) => `${label}-${vm}`);
  await contender.prepare(ids);
  await runAll(ids, 1, (id) => contender.setup(id));
  await runAll(ids, 1, (id) => contender.teardown(id));
  watcher.kill('SIGINT');
  await ended;
  await contender.finish(ids);
  await settle(contender.bridge);
  return Buffer.concat(printed).toString();
}

async function functions(contender, workDir) {
  const data = join(workDir, 'perf.data');
  await watch(contender, 'perf', 'perf', [
    'record',
    '-F',
    '4000',
    '-e',
    'cpu-clock',
    '-p',
    String(contender.pid),
    '-o',
    data,
  ]);
  const { stdout } = await run('perf', ['report', '-i', data, '--stdio', '--sort', 'symbol'], {
    maxBuffer: 64 * 1024 * 1024,
  });
  await rm(data);
  const symbols = stdout.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return symbols.slice(0, LINES).join('\n');
}

/** System calls with their wall-clock time, and the functions of kernel and process that the processor was in. */
export async function profile(contender, workDir) {
  const calls = await watch(contender, 'strace', 'strace', ['-c', '-w', '-f', '-p', String(contender.pid)]);
  return [
    `${contender.name}: ${VMS} set-ups, then ${VMS} tear-downs, one at a time`,
    `System calls, wall clock (strace -c -w; its own cost included)\n\n${calls}`,
    `Functions (perf record -e cpu-clock)\n\n${await functions(contender, workDir)}\n`,
  ].join('\n\n');
}
