import { readFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, it } from 'vitest';
import { resetLab } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import { run } from '../support/run.ts';

const script = fileURLToPath(new URL('../support/setup-busy-pool.mjs', import.meta.url));
const traceFile = '/run/processes.trace';
const fifo = '/run/busy.fifo';
const env = { ...process.env, UV_THREADPOOL_SIZE: '1' };

/** Calls that make a process: threads are clones that say so. */
async function processesOf(trace: string): Promise<readonly string[]> {
  // Of a call that another thread's comes in between the first of two lines says what it is.
  const calls = (await readFile(trace, 'utf8')).split('\n').filter((line) => !line.includes('resumed>'));
  return calls.filter((line) => /^\d+ +\w+\(/.test(line) && !line.includes('CLONE_THREAD'));
}

describeWith(['lab', 'tun', 'strace'], 'a native setup', () => {
  beforeEach(async () => {
    await resetLab();
    for (const file of [traceFile, fifo]) await rm(file, { force: true });
    await run('mkfifo', [fifo]);
  });

  it('starts no process', async () => {
    const flags = [
      '--follow-forks',
      '--output',
      traceFile,
      '--trace=execve,execveat,fork,vfork,clone,clone3',
    ];
    await run('strace', [...flags, process.execPath, script, fifo], { env });
    const [self, ...others] = await processesOf(traceFile);
    expect(self).toContain(`execve("${process.execPath}"`);
    expect(others).toEqual([]);
    expect(await readFile(traceFile, 'utf8')).toContain('CLONE_THREAD');
  });

  it('needs no thread of libuv’s pool', async () => {
    const output = await run(process.execPath, [script, fifo], { env });
    expect(JSON.parse(output)).toEqual({ guestIp: '10.168.0.2', poolIsFree: false });
  });
});
