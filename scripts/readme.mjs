#!/usr/bin/env node
/** Writes the README's table of errors from the built package; with --check it only says whether that would change it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errorTable } from '../dist/errors.js';

const file = fileURLToPath(new URL('../README.md', import.meta.url));
const begin = '<!-- errors: scripts/readme.mjs writes this table from lib/errors.ts -->\n';
const end = '<!-- /errors -->';

const cell = (text) => text.replaceAll('|', '\\|');
const rows = Object.entries(errorTable).map(
  ([code, { when, remedy }]) => `| \`${code}\` | ${cell(when)} | ${cell(remedy)} |\n`,
);
const table = `| code | when | remedy |\n| --- | --- | --- |\n${rows.join('')}`;

const text = readFileSync(file, 'utf8');
const from = text.indexOf(begin) + begin.length;
const to = text.indexOf(end);
if (from < begin.length || to < from) throw new Error(`${file} lacks the marks around its table of errors`);
const written = `${text.slice(0, from)}${table}${text.slice(to)}`;

if (process.argv.includes('--check')) {
  if (written !== text) throw new Error('the table of errors is old: node scripts/readme.mjs writes it anew');
} else {
  writeFileSync(file, written);
}
