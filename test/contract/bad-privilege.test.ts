import { expect, it } from 'vitest';
import { type ErrorCode, NetworkError } from '../../lib/errors.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { managerChild } from '../support/manager-child.ts';
import { expectRefusal } from '../support/refusal.ts';
import { outcomeOf, run } from '../support/run.ts';
import { debianPluginDir } from '../support/tools.mjs';
import { describeBackends } from './fixture.ts';

describeBackends('without privilege', (lab) => {
  const options = { backend: lab.backend, pluginDirs: [debianPluginDir], verify: 'off' };

  /** What the verb, in a process of its own that the tool starts, is refused with. */
  async function inChild(tool: readonly string[], ...verb: readonly string[]): Promise<void> {
    const [file = '', ...args] = [...tool, process.execPath, managerChild, JSON.stringify(options), ...verb];
    const refusal = JSON.parse(await run(file, args)) as {
      readonly code: ErrorCode;
      readonly message: string;
      readonly step: string;
    } | null;
    if (refusal !== null) throw new NetworkError(refusal.code, refusal.message, { step: refusal.step });
  }

  it.each([
    ['any capability', '-all'],
    ['CAP_NET_ADMIN', '-net_admin'],
  ])('open without %s is refused, and undone', async (_title, dropped) => {
    const before = await canonicalDump();
    const tool = ['setpriv', `--bounding-set=${dropped}`, `--inh-caps=${dropped}`, '--'];
    const { remedy } = await expectRefusal(inChild(tool, 'open'), 'ERR_PERMISSION', /EPERM/);
    expect(remedy).toMatch(/^run as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN/);
    await expectUnchanged(before);
  });

  it('setup in a process that has given it up is refused, and undone', async () => {
    await lab.open();
    const before = await canonicalDump();
    await expectRefusal(inChild(['env'], 'setup', 'vm-1'), 'ERR_PERMISSION', /EACCES|EPERM/);
    await expectUnchanged(before);
  });

  it('teardown in a process that has given it up is refused, and leaves the VM as it is', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    const before = await canonicalDump();
    await expectRefusal(inChild(['env'], 'teardown', 'vm-1'), 'ERR_PERMISSION', /EACCES|EPERM/);
    await expectUnchanged(before);
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
  });

  it('to write to /proc/sys, open is refused where forwarding is off, and says what to do; undone', async () => {
    const before = await canonicalDump();
    await run('mount', ['--bind', '/proc/sys', '/proc/sys']);
    await run('mount', ['-o', 'remount,bind,ro', '/proc/sys']);
    try {
      await expectRefusal(lab.open(), 'ERR_KERNEL', /EROFS.*mount it writable/, { operation: 'open' });
    } finally {
      await run('umount', ['/proc/sys']);
    }
    await expectUnchanged(before);
  });

  it('the same child with all of it does its work', async () => {
    const { stdout, exitCode } = await outcomeOf(process.execPath, [
      managerChild,
      JSON.stringify(options),
      'open',
    ]);
    expect({ stdout: stdout.trim(), exitCode }).toEqual({ stdout: 'null', exitCode: 0 });
  });
});
