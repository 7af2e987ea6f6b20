/** Who had the processors while the slowest set-ups ran, beside those in the middle: where a tail comes from. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { tableOf } from './report.mjs';
import { settle } from './settle.mjs';
import { percentile, sum } from './stats.mjs';

const SIZES = { rounds: 8, vms: 100 };
const SLOWEST = 98;
const MIDDLE = [45, 55];
const HERTZ = 5_000;
const ATTACH_MS = 1_000;
const LINES = 8;

/** @typedef {{ begin: number, end: number }} Span seconds of the monotonic clock */

const now = () => Number(process.hrtime.bigint()) / 1e9;

/** @returns {Promise<Span[]>} of set-ups, one at a time */
async function timeSetups(contender) {
  const spans = [];
  for (let round = 0; round < SIZES.rounds; round++) {
    const ids = Array.from({ length: SIZES.vms }, (_, vm) => `slowest-${round}-${vm}`);
    await contender.prepare(ids);
    for (const id of ids) {
      const begin = now();
      await contender.setup(id);
      spans.push({ begin, end: now() });
    }
    for (const id of ids) await contender.teardown(id);
    await contender.finish(ids);
    await settle(contender.bridge);
  }
  return spans;
}

/** perf knows kernel threads by their functions alone where it is in a PID namespace. */
function whoOf(comm, frames) {
  if (frames.some((frame) => /^(default_idle|pv_native_safe_halt)$/.test(frame))) return 'nobody';
  const work = frames.indexOf('process_one_work');
  const thread = work >= 0 ? work : frames.indexOf('kthread');
  return thread > 0 ? `kernel: ${frames[thread - 1].replace(/\.\w+\.\d+$/, '')}` : comm;
}

/** Calls `each` with every sample that perf has recorded. */
async function readSamples(data, each) {
  const script = spawn('perf', ['script', '-i', data, '--ns', '-F', 'comm,time,ip,sym'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = once(script, 'close');
  let head = null;
  let frames = [];
  const flush = () => {
    if (head !== null) each(head.at, whoOf(head.comm, frames));
    head = null;
    frames = [];
  };
  for await (const line of createInterface({ input: script.stdout })) {
    const [, comm, at] = /^(\S.*?)\s+([\d.]+):/.exec(line) ?? [];
    const frame = /^\s+[0-9a-f]+\s+(.+)$/.exec(line)?.[1];
    if (comm !== undefined) head = { comm, at: Number(at) };
    else if (frame !== undefined) frames.push(frame);
    else flush();
  }
  flush();
  await ended;
}

/** Milliseconds that each had of a processor, in the mean of the spans. @param {readonly Span[]} spans */
function shares(samples, spans) {
  const ms = new Map();
  for (const { at, who } of samples) {
    if (!spans.some(({ begin, end }) => at >= begin && at <= end)) continue;
    ms.set(who, (ms.get(who) ?? 0) + 1_000 / HERTZ / spans.length);
  }
  return ms;
}

const took = (spans) => sum(spans.map(({ begin, end }) => (end - begin) * 1_000)) / spans.length;

export async function slowest(contender, workDir) {
  const data = join(workDir, 'perf-slowest.data');
  const perf = spawn(
    'perf',
    [
      'record',
      '-a',
      '-k',
      'CLOCK_MONOTONIC',
      '-e',
      'cpu-clock',
      '-F',
      String(HERTZ),
      '-g',
      '--kernel-callchains',
    ].concat(['-o', data]),
    { stdio: 'ignore' },
  );
  const ended = once(perf, 'close');
  await sleep(ATTACH_MS);
  const spans = await timeSetups(contender);
  perf.kill('SIGINT');
  await ended;
  const lengths = spans.map(({ begin, end }) => end - begin);
  const between = (from, to) => {
    const [least, most] = [percentile(lengths, from), percentile(lengths, to)];
    return spans.filter(({ begin, end }) => end - begin >= least && end - begin <= most);
  };
  const [slow, middle] = [between(SLOWEST, 100), between(...MIDDLE)];
  const samples = [];
  await readSamples(data, (at, who) => samples.push({ at, who }));
  await rm(data);
  const [inSlow, inMiddle] = [shares(samples, slow), shares(samples, middle)];
  const rows = [...new Set([...inSlow.keys(), ...inMiddle.keys()])].map((who) => ({
    who,
    'ms in one of the slowest': inSlow.get(who) ?? 0,
    'ms in one of the middle': inMiddle.get(who) ?? 0,
  }));
  const [slowMs, middleMs] = ['ms in one of the slowest', 'ms in one of the middle'];
  rows.sort((a, b) => b[slowMs] - b[middleMs] - (a[slowMs] - a[middleMs]));
  return [
    `${spans.length} set-ups, the slowest ${100 - SLOWEST} % beside those from p${MIDDLE.join(' to p')}: ` +
      `${took(slow).toFixed(2)} ms and ${took(middle).toFixed(2)} ms`,
    'Who had a processor meanwhile, those first who had it longer in the slowest (perf record -a)',
    tableOf(rows.slice(0, LINES)),
  ].join('\n\n');
}
