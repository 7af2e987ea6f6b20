import { spawnSync } from 'node:child_process';
import { openSync } from 'node:fs';

/** Whether no other process has the file: it is this one's then, until it ends, however it does. */
export function isAlone(file) {
  const fd = openSync(file, 'w', 0o600);
  // The lock is that of the open file, which flock(1) shares with this process, and nobody else does.
  const { status, error } = spawnSync('flock', ['--nonblock', '3'], {
    stdio: ['ignore', 'ignore', 'inherit', fd],
  });
  if (error) throw error;
  return status === 0;
}
