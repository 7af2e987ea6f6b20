import { fileURLToPath } from 'node:url';
import { beforeEach, expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { addonFile } from '../support/native.ts';
import { describeWith } from '../support/require.ts';
import { run } from '../support/run.ts';
import { attach, attachPlan, usedLab } from './attach-lab.ts';

const script = fileURLToPath(new URL('../support/attach-once.mjs', import.meta.url));

/** What becomes of an attach, in a process of its own, whose n-th call of that name fails in each of its threads. */
async function attachWithout(syscall: string, nth: number | string): Promise<unknown> {
  const strace = ['--follow-forks', '--output', '/dev/null', `--trace=${syscall}`];
  const inject = `--inject=${syscall}:error=ENOMEM:when=${nth}`;
  const plan = JSON.stringify(attachPlan('a1'));
  return JSON.parse(await run('strace', [...strace, inject, process.execPath, script, addonFile, plan]));
}

describeWith(['strace', 'tun'], 'an attach whose system call fails', () => {
  beforeEach(async () => {
    await usedLab();
  });

  it.each([
    ['flock', 1, 'lock'],
    ['flock', 3, 'address'],
    ['linkat', 1, 'address'],
    ['sendto', 1, 'bridge'],
    ['sendmsg', 1, 'guard'],
    ['unshare', '1+', 'anchor'],
    ['pwrite64', 1, 'anchor'],
    ['mount', 1, 'anchor'],
    ['sendto', 2, 'link'],
    ['sendto', 3, 'inside'],
    ['sendto', 4, 'up'],
    ['linkat', 2, 'record'],
  ])('is undone: %s, number %s, at step %s', async (syscall, nth, step) => {
    const before = await canonicalDump();
    expect(await attachWithout(syscall, nth)).toEqual({ code: 'ENOMEM', step, undoErrors: 0 });
    await expectUnchanged(before);
    await attach('a2');
  });

  it('is whole although its namespace’s thread finds no way home', async () => {
    expect(await attachWithout('setns', 1)).toBeNull();
  });
});
