import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import { describeBackends } from '../contract/fixture.ts';
import { expectUnchanged } from '../support/dump.ts';
import { addonFile } from '../support/native.ts';
import { emptyNetwork, live } from './process.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

describeBackends('two copies of the package', (lab) => {
  const made: string[] = [];
  afterEach(async () => {
    for (const directory of made.splice(0)) await rm(directory, { recursive: true });
  });

  async function copyPackage(): Promise<string> {
    const copy = await mkdtemp(join(tmpdir(), 'vulcan-copy-'));
    made.push(copy);
    for (const name of ['package.json', 'dist'])
      await cp(join(root, name), join(copy, name), { recursive: true });
    await cp(dirname(addonFile), join(copy, 'build/Release'), {
      recursive: true,
      filter: (path) => !/\/(obj\.target|CMakeFiles)$/.test(path),
    });
    await symlink(join(root, 'node_modules'), join(copy, 'node_modules'));
    return join(copy, 'dist/index.js');
  }

  it('share a network in one process: one winner for a VM, and each one’s own', async () => {
    const empty = await emptyNetwork(lab);
    const { code, signal, lines, stderr } = await live('copies', lab.backend, {}, await copyPackage());
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    expect(JSON.parse(lines[0] ?? '{}')).toEqual({
      both: ['ERR_ATTACHMENT_EXISTS', 'done'],
      own: Array(8).fill('done'),
      lists: [9, 9],
      different: true,
    });
    await expectUnchanged(empty);
  });

  it('at a signal are both closed before it ends the process', async () => {
    const empty = await emptyNetwork(lab);
    const options = { signals: ['SIGTERM'] };
    const end = await live('signal', lab.backend, options, await copyPackage());
    expect(end).toMatchObject({ code: null, signal: 'SIGTERM', stderr: '' });
    await expectUnchanged(empty);
  });
});
