import { spawn } from 'node:child_process';

/** Runs a program with `input` on its stdin. */
export function feed(file, args, input) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio: ['pipe', 'ignore', 'inherit'] });
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${file} ended with ${code}`))));
    child.stdin.end(input);
  });
}
