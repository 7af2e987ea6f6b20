import { spawn } from 'node:child_process';

const outputLimit = 64 * 1024;

/**
 * What was printed. Rejects with the end of it where the program fails.
 *
 * @param {string} file @param {readonly string[]} args @param {Readonly<Record<string, string>>} [env] @returns {Promise<string>}
 */
export function runToEnd(file, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: { ...process.env, NO_COLOR: '1', ...env } });
    let output = '';
    const keep = (/** @type {Buffer} */ chunk) => {
      output = (output + chunk).slice(-outputLimit);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve(output);
      else reject(new Error(`${file} ${args.join(' ')}: ${status}\n${output}`));
    });
  });
}

/** The command by which this Node runs the tests of a project. @param {string} project */
export const vitestOf = (project) => [
  process.execPath,
  ...['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts', '--project', project],
];
