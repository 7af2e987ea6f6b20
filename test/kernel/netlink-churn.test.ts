import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, it } from 'vitest';
import { resetLab } from '../support/lab.ts';
import { addonFile } from '../support/native.ts';
import { describeWith } from '../support/require.ts';
import { ip, run } from '../support/run.ts';

const loop = fileURLToPath(new URL('../support/dump-loop.mjs', import.meta.url));
const traceFile = '/run/dump.trace';
const dumps = 60;
const mostRounds = 40;
/** Enough for a dump of several datagrams, between which the kernel's table can change. */
const pairs = 60;

/** Makes and deletes a link, without a pause, until told to stop. */
function churn(): () => Promise<void> {
  const child = spawn('ip', ['-batch', '-'], { stdio: ['pipe', 'ignore', 'inherit'] });
  const changes = 'link add churn0 type veth peer name churn1\nlink delete churn0\n'.repeat(100);
  const feed = () => {
    while (child.stdin.write(changes));
  };
  child.stdin.on('drain', feed).on('error', () => {});
  feed();
  return async () => {
    expect(child.exitCode).toBe(null);
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
}

describeWith(['strace'], 'a dump while links come and go', () => {
  beforeEach(resetLab);

  it('is done again when the kernel says that it was interrupted', async () => {
    const names: string[] = [];
    for (let i = 0; i < pairs; i++) {
      await ip('link', 'add', `stable${i}`, 'type', 'veth', 'peer', 'name', `other${i}`);
      names.push(`stable${i}`, `other${i}`);
    }
    const strace = ['--follow-forks', '--output', traceFile, '--trace=sendto,recvfrom'];
    const stop = churn();
    let interrupted = 0;
    try {
      // Few changes come between two datagrams of a dump, and none may.
      for (let round = 0; interrupted === 0 && round < mostRounds; round++) {
        await run('strace', [...strace, process.execPath, loop, addonFile, `${dumps}`, ...names]);
        const trace = await readFile(traceFile, 'utf8');
        const [, ...attempts] = trace.split(/sendto\(.*RTM_GETLINK/);
        // The kernel marks only the first message after the change.
        interrupted = attempts.filter((attempt) => attempt.includes('NLM_F_DUMP_INTR')).length;
        expect(attempts.length).toBe(dumps + interrupted);
      }
    } finally {
      await stop();
    }
    expect(interrupted).toBeGreaterThan(0);
  });
});
