import { readFile, rm } from 'node:fs/promises';
import type { Outcome } from '../support/run.ts';
import { type Invocation, invoke, ours } from './plugin-lab.ts';

/** One system call of a run: the n-th of its name. strace counts them by thread; the plugin has one. */
export interface Point {
  readonly syscall: string;
  readonly nth: number;
  readonly what: string;
}

const traceFile = '/run/plugin.trace';

/** Those by which it changes something, and some before and after. */
export const writingCalls = ['sendto', 'ioctl', 'setns', 'openat', 'close', 'write'] as const;

function parse(trace: string): Point[] {
  const counts = new Map<string, number>();
  return trace.split('\n').flatMap((line) => {
    const [, syscall, what] = /^(\w+)\((.*)/.exec(line) ?? [];
    if (syscall === undefined || what === undefined) return [];
    const nth = (counts.get(syscall) ?? 0) + 1;
    counts.set(syscall, nth);
    return [{ syscall, nth, what: what.slice(0, 60) }];
  });
}

/** Every call of these names that our plugin makes, in order. */
export async function trace(
  invocation: Invocation,
  calls: readonly string[] = writingCalls,
): Promise<Point[]> {
  await rm(traceFile, { force: true });
  const strace = ['strace', '--output', traceFile, `--trace=${calls.join(',')}`];
  await invoke(ours, { ...invocation, under: strace });
  return parse(await readFile(traceFile, 'utf8'));
}

/** A signal's death becomes an exit code, as in any shell. */
const shell = ['sh', '-c', '"$@"; exit $?', 'sh'];

/** Runs it with something happening at one call (`signal=KILL`, `error=ENOMEM`) and, by `step`, at later ones. */
export function inject(
  { syscall, nth }: Point,
  what: string,
  invocation: Invocation,
  step: '' | '+1' = '',
): Promise<Outcome> {
  const injection = `--inject=${syscall}:${what}:when=${nth}${step}`;
  const strace = ['strace', '--output', '/dev/null', `--trace=${syscall}`, injection];
  return invoke(ours, { ...invocation, under: [...shell, ...strace] });
}
