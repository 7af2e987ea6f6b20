import { type ExecFileOptions, execFile } from 'node:child_process';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);

/** What a tool printed. Throws, with its stderr in the message, when it fails. */
export async function run(
  file: string,
  args: readonly string[],
  options: ExecFileOptions = {},
): Promise<string> {
  const { stdout } = await execFileAsync(file, args, {
    maxBuffer: 64 * 1024 * 1024,
    ...options,
    encoding: 'utf8',
  });
  return stdout;
}

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Like {@link run}, for a tool that may fail. */
export function outcomeOf(
  file: string,
  args: readonly string[],
  { input, ...options }: ExecFileOptions & { readonly input?: string } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = execFile(file, args, { ...options, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error !== null && typeof error.code !== 'number') reject(error);
      else
        resolve({
          exitCode: typeof error?.code === 'number' ? error.code : 0,
          stdout,
          stderr,
        });
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(input ?? '');
  });
}

export const ip = (...args: readonly string[]): Promise<string> => run('ip', args);
export const tc = (...args: readonly string[]): Promise<string> => run('tc', args);
export const nft = (...args: readonly string[]): Promise<string> => run('nft', args);

/** A tool inside a namespace, given by its path. */
export function runIn(netns: string, file: string, ...args: readonly string[]): Promise<string> {
  return run('nsenter', [`--net=${netns}`, '--', file, ...args]);
}
