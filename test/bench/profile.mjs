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

/** A contender's set-ups and tear-downs, as what is watched. */
export function roundsOf(contender) {
  const ids = (label) => Array.from({ length: VMS }, (_, vm) => `${label}-${vm}`);
  return {
    what: `${contender.name}: ${VMS} set-ups, then ${VMS} tear-downs, one at a time`,
    pid: contender.pid,
    prepare: (label) => contender.prepare(ids(label)),
    async work(label) {
      await runAll(ids(label), 1, (id) => contender.setup(id));
      await runAll(ids(label), 1, (id) => contender.teardown(id));
    },
    async finish(label) {
      await contender.finish(ids(label));
      await settle(contender.bridge);
    },
  };
}

/** Runs the subject's work while `file` watches; what it printed. */
async function watch(subject, label, file, args) {
  await subject.prepare(label);
  const watcher = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const printed = [];
  for (const stream of [watcher.stdout, watcher.stderr]) stream.on('data', (chunk) => printed.push(chunk));
  const ended = once(watcher, 'close');
  await sleep(ATTACH_MS);
  await subject.work(label);
  watcher.kill('SIGINT');
  await ended;
  await subject.finish(label);
  return Buffer.concat(printed).toString();
}

async function functions(subject, workDir) {
  const data = join(workDir, 'perf.data');
  await watch(subject, 'perf', 'perf', [
    'record',
    '-F',
    '4000',
    '-e',
    'cpu-clock',
    '-p',
    String(subject.pid),
    '-o',
    data,
  ]);
  const { stdout } = await run('perf', ['report', '-i', data, '--stdio', '--sort', 'symbol'], {
    maxBuffer: 64 * 1024 * 1024,
  });
  await rm(data);
  // Behind the widest symbol perf has columns of its own, without anything in them.
  const lines = stdout.split('\n').map((line) => line.replace(/[\s-]+$/, ''));
  return lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .slice(0, LINES)
    .join('\n');
}

/**
 * System calls with their wall-clock time, and the functions of kernel and process that the processor was in.
 * @param {{ what: string, pid: number, prepare(label: string): Promise<void>, work(label: string): Promise<void>,
 *   finish(label: string): Promise<void> }} subject
 */
export async function profile(subject, workDir) {
  const printed = await watch(subject, 'strace', 'strace', ['-c', '-w', '-f', '-p', String(subject.pid)]);
  // Which threads came and went is told before the table.
  const calls = printed.slice(Math.max(0, printed.indexOf('% time')));
  return [
    subject.what,
    `System calls, wall clock (strace -c -w; its own cost included)\n\n${calls}`,
    `Functions (perf record -e cpu-clock)\n\n${await functions(subject, workDir)}\n`,
  ].join('\n\n');
}
