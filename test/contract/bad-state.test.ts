import { chown, mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { expectRefusal } from '../support/refusal.ts';
import { run } from '../support/run.ts';
import { describeBackends } from './fixture.ts';

describeBackends('a state directory', (lab) => {
  const stateDir = '/run/state';

  const unsafe: readonly (readonly [title: string, make: () => Promise<unknown>, says: RegExp])[] = [
    [
      'that others may write',
      () => mkdir(stateDir, { recursive: true }).then(() => run('chmod', ['0777', stateDir])),
      /state/,
    ],
    [
      'that is a symlink',
      () => mkdir('/run/elsewhere', { mode: 0o700 }).then(() => symlink('/run/elsewhere', stateDir)),
      /state'; a file or a symlink is in its place/,
    ],
    [
      'that belongs to someone else',
      () => mkdir(stateDir, { mode: 0o700 }).then(() => chown(stateDir, 1234, 1234)),
      /state/,
    ],
    [
      'whose records others may write',
      () =>
        mkdir(`${stateDir}/results`, { recursive: true }).then(() =>
          run('chmod', ['0777', `${stateDir}/results`]),
        ),
      /results/,
    ],
  ];

  it.each(unsafe)('%s is refused, and left as it is', async (_title, make, says) => {
    await make();
    const before = await canonicalDump();
    const { mode } = await stat(stateDir);
    await expectRefusal(lab.open({ stateDir }), 'ERR_STATE_DIR_UNSAFE', says, { operation: 'open' });
    await expectUnchanged(before);
    expect((await stat(stateDir)).mode).toBe(mode);
  });

  it('with a file in place of its records is refused by every verb, which says so', async () => {
    const manager = await lab.open({ stateDir });
    await rm(`${stateDir}/results`, { recursive: true });
    await writeFile(`${stateDir}/results`, '');
    for (const verb of [() => manager.setup('vm-1'), () => manager.list()]) {
      await expectRefusal(verb(), 'ERR_STATE_DIR_UNSAFE', /results'; a file or a symlink is in its place/);
    }
  });
});

describeBackends('a full disk', (lab) => {
  const stateDir = '/run/small';
  /** What the disk has, and what the lock's claim, the record and a temporary file take. */
  const pages = 16;
  const most = 4;

  const fill = (free: number) =>
    writeFile(`${stateDir}/filling`, Buffer.alloc((pages - free) * 4096)).catch(() => {});

  it('at whichever file of a setup: refused, and undone', async () => {
    await mkdir(stateDir, { mode: 0o700 });
    await run('mount', ['-t', 'tmpfs', '-o', `size=${pages * 4}k,mode=700`, 'tmpfs', stateDir]);
    const manager = await lab.open({ stateDir });
    await manager.setup('vm-0');
    await manager.teardown('vm-0');
    const steps = new Set<string | undefined>();
    for (let free = 0; free < most; free++) {
      await rm(`${stateDir}/filling`, { force: true });
      await fill(free);
      const before = await canonicalDump();
      const outcome = await manager.setup('vm-1').catch((error: unknown) => error);
      if (outcome instanceof Error) {
        const error = await expectRefusal(Promise.reject(outcome), 'ERR_RECORD_WRITE', /ENOSPC/, {
          ...{ operation: 'setup', vmId: 'vm-1', rolledBack: true },
        });
        steps.add(error.step);
      } else {
        await manager.teardown('vm-1');
      }
      await expectUnchanged(before);
    }
    expect([...steps]).toContain('record');
    await rm(`${stateDir}/filling`);
    await manager.setup('vm-1');
  });
});

describeBackends('records', (lab) => {
  const results = `${lab.stateDir}/results`;

  it('of another attachment, where this one belongs, are never overwritten', async () => {
    // Both are named a-b-c-eth0.
    const first = await lab.open({ network: 'a-b', bridge: 'ab0', subnet: '10.9.0.0/24' });
    await first.setup('c');
    const second = await lab.open({ network: 'a' });
    const before = await canonicalDump();
    await expectRefusal(second.setup('b-c'), 'ERR_RECORD_MISMATCH', 'is the record of network a-b', {
      ...{ operation: 'setup', vmId: 'b-c', path: `${results}/a-b-c-eth0` },
    });
    await expectUnchanged(before);
    await second.teardown('b-c');
    await expectUnchanged(before);
    expect(await first.check('c')).toEqual({ ok: true, differences: [] });
  });

  it('that cannot be read are named, and left as they are', async () => {
    const manager = await lab.open();
    await manager.setup('vm-0');
    await writeFile(`${results}/fcnet-vm-1-eth0`, 'secret\n');
    const before = await canonicalDump();
    for (const verb of [
      () => manager.setup('vm-1'),
      () => manager.teardown('vm-1'),
      () => manager.check('vm-1'),
    ]) {
      const says = `${results}/fcnet-vm-1-eth0 is no record: it is not JSON; look at the file`;
      await expectRefusal(verb, 'ERR_RECORD_CORRUPT', says, { vmId: 'vm-1' });
    }
    await expectUnchanged(before);
  });
});
