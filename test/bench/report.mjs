import { mkdir, writeFile } from 'node:fs/promises';
import { arch, cpus, release } from 'node:os';
import { dirname } from 'node:path';

const machine = () => ({
  kernel: release(),
  arch: arch(),
  cpus: cpus().length,
  node: process.version,
  date: new Date().toISOString().slice(0, 10),
});

const cell = (value) => (typeof value === 'number' ? value.toFixed(value < 10 ? 2 : 1) : String(value));

/** Prints rows (objects of the same keys) as a Markdown table. */
export function printTable(title, rows) {
  const keys = Object.keys(rows[0]);
  console.log(`\n${title}\n`);
  console.log(`| ${keys.join(' | ')} |`);
  console.log(`| ${keys.map((key) => (typeof rows[0][key] === 'number' ? '---:' : '---')).join(' | ')} |`);
  for (const row of rows) console.log(`| ${keys.map((key) => cell(row[key])).join(' | ')} |`);
}

/** One target: what was measured against what must be reached. A missed one stays, marked. */
export function target(what, value, limit) {
  return { what, value, limit, verdict: value <= limit ? 'reached' : 'MISSED' };
}

export async function saveJson(file, results) {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify({ machine: machine(), ...results }, null, 2)}\n`);
}

export function printMachine() {
  const { kernel, cpus: count, node, date } = machine();
  console.log(`Linux ${kernel}, ${count} CPUs, Node ${node}, ${date}`);
}
