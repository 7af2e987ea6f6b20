import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** Another process takes the lock of a file, and has it until it is told to end. */
export async function holdLock(file: string): Promise<() => Promise<void>> {
  const child = spawn('flock', ['--no-fork', file, 'sh', '-c', 'echo held; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
}
