#!/usr/bin/env node
/**
 * Writes what the README takes from elsewhere: the tables of errors and of findings from the built package, the differences of the backends
 * from the test that holds them to it, the performance section from the benchmark's results. With --check it only says whether that would change anything.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { errorTable } from '../dist/errors.js';
import { verifyFindings } from '../dist/verify/findings.js';
import { endStateDifferences } from '../test/support/end-state-differences.mjs';
import { performanceSection } from './support/performance.mjs';

process.chdir(fileURLToPath(new URL('..', import.meta.url)));
const file = 'README.md';

const cell = (text) => text.replaceAll('|', '\\|');

function errorsSection() {
  const rows = Object.entries(errorTable).map(
    ([code, { when, remedy }]) => `| \`${code}\` | ${cell(when)} | ${cell(remedy)} |\n`,
  );
  return `| code | when | remedy |\n| --- | --- | --- |\n${rows.join('')}`;
}

function findingsSection() {
  const rows = Object.entries(verifyFindings).map(([id, { severity, natively, when }]) => {
    const level = natively === undefined ? severity : `${severity}; with \`native\`: ${natively}`;
    return `| \`${id}\` | ${level} | ${cell(when)} |\n`;
  });
  return `| id | severity | when |\n| --- | --- | --- |\n${rows.join('')}`;
}

function differencesSection() {
  const rows = endStateDifferences.map(({ what, why }) => `| ${cell(what)} | ${cell(why)} |\n`);
  return `| with the native backend | why |\n| --- | --- |\n${rows.join('')}`;
}

/** What stands between `<!-- NAME: ... -->` and `<!-- /NAME -->`. */
const sections = {
  errors: errorsSection,
  findings: findingsSection,
  differences: differencesSection,
  performance: () => performanceSection('test/bench/results'),
};

const text = readFileSync(file, 'utf8');
const written = Object.entries(sections).reduce((readme, [name, section]) => {
  const marks = new RegExp(`(<!-- ${name}: .* -->\n)[^]*?(<!-- /${name} -->)`);
  if (!marks.test(readme)) throw new Error(`${file} lacks the marks around its section "${name}"`);
  return readme.replace(marks, (_all, begin, end) => `${begin}${section()}${end}`);
}, text);

if (process.argv.includes('--check')) {
  if (written !== text) throw new Error(`${file} is old: node scripts/readme.mjs writes it anew`);
} else {
  writeFileSync(file, written);
}
