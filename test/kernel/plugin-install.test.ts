import { chmod, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { resetLab } from '../support/lab.ts';
import { outcomeOf } from '../support/run.ts';

const script = fileURLToPath(new URL('../../scripts/install-plugin', import.meta.url));
const built = fileURLToPath(new URL('../../build/Release/plugins/tc-redirect-tap', import.meta.url));
const directory = '/run/vulcan-net/bin';
const target = `${directory}/tc-redirect-tap`;

const install = (...args: readonly string[]) => outcomeOf(script, args);

describe('scripts/install-plugin', () => {
  beforeEach(async () => {
    await resetLab();
    await mkdir(directory, { recursive: true });
  });

  it('puts the plugin into a directory, executable, and nothing else', async () => {
    expect(await install(directory)).toMatchObject({ exitCode: 0, stdout: `installed ${target}\n` });
    expect((await stat(target)).mode & 0o777).toBe(0o755);
    expect(await readdir(directory)).toEqual(['tc-redirect-tap']);
    expect((await readFile(target)).equals(await readFile(built))).toBe(true);
    const version = await outcomeOf(target, [], { env: { CNI_COMMAND: 'VERSION' } });
    expect(JSON.parse(version.stdout)).toHaveProperty('supportedVersions');
  });

  it('may be run again, and mends the mode', async () => {
    await install(directory);
    await chmod(target, 0o644);
    expect(await install(directory)).toMatchObject({ exitCode: 0 });
    expect((await stat(target)).mode & 0o777).toBe(0o755);
  });

  it('replaces another one only when told to', async () => {
    await writeFile(target, 'another');
    const refused = await install(directory);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toContain('--force');
    expect(await readFile(target, 'utf8')).toBe('another');
    expect(await install('--force', directory)).toMatchObject({ exitCode: 0 });
    expect((await readFile(target)).equals(await readFile(built))).toBe(true);
  });

  it.each([
    ['a directory that is not there', ['/nowhere'], 1, 'is no directory'],
    ['no directory', [], 64, 'usage'],
  ])('says what is wrong with %s', async (_, args, exitCode, text) => {
    const outcome = await install(...args);
    expect(outcome.exitCode).toBe(exitCode);
    expect(outcome.stderr).toContain(text);
  });
});
