import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { until } from './lab.ts';

/** Plugins that stand before the real ones in the search and misbehave at a chosen command. */

export const wrapperDir = '/run/wrappers';

/** Nobody else sleeps for so long: whoever does is a child of ours. */
const sleepSeconds = '86399';

/** What the plugin does when it is its turn; the real one has done its work by then. */
export const misbehaviours = {
  'reports an error': `printf '{"code":100,"msg":"broken","details":"on purpose"}'; exit 1`,
  'fails silently': 'exit 3',
  'prints garbage': 'echo tap0 is up',
  'prints 100 MB': 'head -c 100000000 /dev/zero',
  'hangs with a child': `sleep ${sleepSeconds} & sleep ${sleepSeconds}`,
  'is killed': 'kill -KILL $$',
} as const;

export type Misbehaviour = keyof typeof misbehaviours;

export async function wrap(
  type: string,
  realDir: string,
  command: string,
  misbehaviour: Misbehaviour,
): Promise<void> {
  const real = join(realDir, type);
  const script = `#!/bin/sh
[ "$CNI_COMMAND" = ${command} ] || exec ${real}
${real} >/dev/null
${misbehaviours[misbehaviour]}
`;
  await mkdir(wrapperDir, { recursive: true });
  await writeFile(join(wrapperDir, type), script);
  await chmod(join(wrapperDir, type), 0o755);
}

/** A host-local that stops in the middle: it has made an address's file, and has yet to write whose it is. */
export async function stopAfterNaming(addressFile: string): Promise<void> {
  const script = `#!/bin/sh
[ "$CNI_COMMAND" = ADD ] || exit 0
: >${addressFile}
exec sleep ${sleepSeconds}
`;
  await mkdir(wrapperDir, { recursive: true });
  await writeFile(join(wrapperDir, 'host-local'), script);
  await chmod(join(wrapperDir, 'host-local'), 0o755);
}

/** A process that was killed is there until it gets a processor to die on. */
export async function untilNoSurvivors(): Promise<void> {
  let left: readonly string[] = [];
  await until(
    () => `the end of ${left}`,
    async () => {
      left = await survivors();
      return left.length === 0;
    },
  );
}

/** Children of a misbehaving plugin that are still there. */
async function survivors(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(sleepSeconds)) found.push(`${pid} ${command.replaceAll('\0', ' ')}`);
  }
  return found;
}
