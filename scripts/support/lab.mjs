import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const lab = fileURLToPath(new URL('../lab', import.meta.url));

/** Runs the script again, in a lab, and ends as it does; inside one it returns. */
export function enterLab() {
  if (process.env['VULCAN_LAB'] === '1') return;
  const { status, error } = spawnSync(lab, ['--', process.execPath, ...process.argv.slice(1)], {
    stdio: 'inherit',
  });
  if (error) throw error;
  process.exit(status ?? 1);
}
