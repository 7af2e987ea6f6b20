import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { machineLine, tableOf } from '../../test/bench/report.mjs';

/** What the sections on performance have in common. */

/** `order`: who was measured when. */
export const command = (name, machine, order) =>
  `\`sudo npm run bench -- ${name}\`, in a virtual machine: ${machineLine(machine)}. Milliseconds, all of one run; ${order}.\n`;

/** The charts that are there, and what lies behind a target that was missed. */
export const charts = (directory, names) =>
  names
    .filter(([file]) => existsSync(join(directory, file)))
    .map(([file, description]) => `![${description}](${directory}/${file})\n`)
    .join('\n');

function missedNote(directory, name, targets) {
  if (targets.every(({ verdict }) => verdict === 'reached')) return '';
  const profiles = ['ours', 'floor']
    .map((who) => `${directory}/${name}-profile-${who}.txt`)
    .filter((file) => existsSync(file))
    .map((file) => `[\`${file}\`](${file})`);
  return profiles.length === 0 ? '' : `\nWhere the time goes: ${profiles.join(', ')}.\n`;
}

/** A value that would be its limit, rounded as others are, has as many digits as tell the two apart. */
function rounded({ value, 'must be': limit }) {
  const isLimit = (digits) => Number(value.toFixed(digits)) === Number(limit.split(' ')[1]);
  if (!isLimit(2) || isLimit(20)) return Number(value.toFixed(2));
  return value.toFixed([3, 4, 5, 6].find((digits) => !isLimit(digits)) ?? 20);
}

export function targetsTable(directory, name, { targets }) {
  const rows = targets.map((row) => ({ ...row, value: rounded(row) }));
  return `${tableOf(rows)}${missedNote(directory, name, targets)}`;
}
