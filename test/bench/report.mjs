import { mkdir, writeFile } from 'node:fs/promises';
import { arch, cpus, release } from 'node:os';
import { dirname } from 'node:path';

const machine = () => ({
  // What follows the version is the machine's.
  kernel: release().replace(/-.*/, ''),
  arch: arch(),
  cpu: cpus()[0]?.model ?? 'unknown',
  cpus: cpus().length,
  node: process.version,
  date: new Date().toISOString().slice(0, 10),
});

/** One line: where and when the figures were taken. */
export function machineLine({ kernel, cpu, cpus: count, node, date } = machine()) {
  return `Linux ${kernel}, ${count} × ${cpu}, Node ${node}, ${date}`;
}

const cell = (value) => (typeof value === 'number' ? value.toFixed(value < 10 ? 2 : 1) : String(value));

/** Rows (objects of the same keys) as a Markdown table. */
export function tableOf(rows) {
  const keys = Object.keys(rows[0]);
  const line = (cells) => `| ${cells.join(' | ')} |\n`;
  const head = [keys, keys.map((key) => (typeof rows[0][key] === 'number' ? '---:' : '---'))];
  const body = rows.map((row) =>
    keys.map((key) => (Number.isInteger(row[key]) ? String(row[key]) : cell(row[key]))),
  );
  return [...head, ...body].map(line).join('');
}

export function printTable(title, rows) {
  console.log(`\n${title}\n\n${tableOf(rows).trimEnd()}`);
}

const verdict = (reached) => (reached ? 'reached' : 'MISSED');

/** A target: what was measured against what must be reached. A missed one stays in the table, marked. */
export const atMost = (what, value, limit) => ({
  what,
  value,
  'must be': `<= ${limit}`,
  verdict: verdict(value <= limit),
});

export const atLeast = (what, value, limit) => ({
  what,
  value,
  'must be': `>= ${limit}`,
  verdict: verdict(value >= limit),
});

export async function saveText(file, text) {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, text);
}

export const saveJson = (file, results) =>
  saveText(file, `${JSON.stringify({ machine: machine(), ...results }, null, 1)}\n`);
