import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { linksOf } from '../../scripts/support/links.mjs';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { resetLab } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import { outcomeOf, run } from '../support/run.ts';
import { nodes } from '../support/tools.mjs';
import { headersOf, type Installation, installPacked, pack, rebuilt, root } from './npm.ts';

const user = `
import { NetworkManager } from 'vulcan-net';
const manager = await NetworkManager.open({ verify: 'throw' });
const net = await manager.setup('vm-1');
const { plugins } = await manager.verify();
await manager.teardown('vm-1', { wait: true });
await manager.close();
console.log(JSON.stringify({ guestIp: net.guestIp, tapName: net.tapName, plugins }));
`;

/** Each line that must not compile says so. */
const typedUser = `
import { isNetworkError, NetworkManager, type NetworkConfig, type NetworkManagerOptions } from 'vulcan-net';
const options: NetworkManagerOptions = { layout: 'routed', pool: { min: 1, max: 2 } };
await using manager = await NetworkManager.open(options);
const net: NetworkConfig = await manager.withNetwork('vm-1', async (its) => its);
// @ts-expect-error: it is what was built
net.guestIp = '10.168.0.2';
// @ts-expect-error: there is no such layout
await NetworkManager.open({ layout: 'ring' });
// @ts-expect-error: it is for the tests
NetworkManager.openOn;
try {
  await manager.setup('vm-1');
} catch (error) {
  // @ts-expect-error: there is no such code
  if (isNetworkError(error, 'ERR_NONE')) throw error;
}
`;

/** What README and what it leads to show; nothing else of the tests is for users. */
const shown =
  /^test\/(README\.md|golden\/README\.md|bench\/results\/[^/]+\.(svg|txt)|examples\/launcher\/[^/]+)$/;

describe('the tarball', () => {
  const destination = join(root, 'build/pack');
  let files: readonly string[];

  beforeAll(async () => {
    await mkdir(destination, { recursive: true });
    ({ files } = await pack(root, destination));
    await rm(destination, { recursive: true });
  });

  it('has the TypeScript and what is built of it, the native sources, and nothing of the development', () => {
    expect(files).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'binding.gyp',
        'dist/index.d.ts',
        'dist/index.js',
        'lib/index.ts',
        'native/addon/module.cc',
        'native/plugin/main.cc',
        'scripts/install-plugin',
        'scripts/install.mjs',
      ]),
    );
    const development = files.filter((file) => /^(test|build|\.)|CMakeLists|\.gitignore/.test(file));
    expect(development.filter((file) => !shown.test(file))).toEqual([]);
  });

  it('has what its documents link to', async () => {
    const documents = files.filter((file) => file.endsWith('.md'));
    const links = await Promise.all(
      documents.map(async (file) => linksOf(await readFile(join(root, file), 'utf8'), file)),
    );
    expect(links.flat()).toContain('lib/options.ts');
    const isThere = (link: string) => files.some((file) => file === link || file.startsWith(`${link}/`));
    expect(links.flat().filter((link) => !isThere(link))).toEqual([]);
  });

  it('has what its example imports', async () => {
    const modules = files.filter((file) => file.startsWith('test/') && file.endsWith('.mjs'));
    const imported = await Promise.all(
      modules.map(async (file) => {
        const paths = (await readFile(join(root, file), 'utf8')).matchAll(/ from '(\.[^']+)'/g);
        return [...paths].map(([, path]) => join(dirname(file), path ?? ''));
      }),
    );
    expect(imported.flat()).toContain('test/examples/launcher/machines.mjs');
    expect(imported.flat().filter((file) => !files.includes(file))).toEqual([]);
  });

  it('has the sources that its source maps name', async () => {
    const maps = files.filter((file) => file.endsWith('.js.map'));
    const sources = await Promise.all(
      maps.map(async (file) => {
        const map = JSON.parse(await readFile(join(root, file), 'utf8')) as { readonly sources: string[] };
        return map.sources.map((source) => join(dirname(file), source));
      }),
    );
    expect(sources.flat()).toContain('lib/index.ts');
    expect(sources.flat().filter((source) => !files.includes(source))).toEqual([]);
  });
});

it('declares types that a strict program takes that names no types of Node’s, by the TypeScript that builds it', async () => {
  const folder = await mkdtemp(join(root, 'build/types-'));
  const file = join(folder, 'user.mts');
  await writeFile(file, typedUser);
  const options = ['--strict', '--exactOptionalPropertyTypes', '--target', 'es2022', '--module', 'nodenext'];
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const args = [compiler, '--ignoreConfig', '--noEmit', ...options, file];
  const { stdout } = await outcomeOf(process.execPath, args, { cwd: root });
  await rm(folder, { recursive: true });
  expect(stdout).toBe('');
});

describeWith(['lab', 'node-lts', 'debian-plugins'], 'an installation from the tarball', () => {
  const headers = join(nodes.lts, '../..');
  let installed: Installation;
  let itsHeaders: string | undefined;

  beforeAll(async () => {
    installed = await installPacked(nodes.lts);
    itsHeaders = await headersOf(installed);
  });
  afterAll(() => installed?.[Symbol.asyncDispose]());

  describe.each([
    [
      'by npm install, with headers beside the running node',
      async () => ({ ...installed, headers: itsHeaders }),
    ],
    [
      'again, with a configured header directory',
      async () => {
        const again = await rebuilt(installed, process.execPath, { nodedir: headers });
        return { ...again, headers: await headersOf(again) };
      },
    ],
  ])('built %s', (_name, build) => {
    let installation: Installation & { readonly headers: string | undefined };
    const inPackage = (path: string): string => join(installation.folder, 'node_modules/vulcan-net', path);

    beforeAll(async () => {
      installation = await build();
    });
    beforeEach(resetLab);

    it('was compiled with those headers', () => {
      expect(installation.headers).toBe(headers);
    });

    it('needs no TypeScript, and nothing but its own dependencies', async () => {
      const packages = await readdir(join(installation.folder, 'node_modules'));
      expect(packages.filter((name) => !name.startsWith('.'))).toEqual([
        'node-addon-api',
        'vulcan-net',
        'zod',
      ]);
    });

    it('gives a VM its network through the bundled plugin', async () => {
      await writeFile(join(installation.folder, 'user.mjs'), user);
      const printed = await run(installation.node, ['user.mjs'], {
        cwd: installation.folder,
        env: installation.env,
      });
      expect(JSON.parse(printed)).toMatchObject({
        guestIp: '10.168.0.2',
        tapName: 'tap0',
        plugins: expect.arrayContaining([
          expect.objectContaining({
            type: 'tc-redirect-tap',
            bundled: true,
            path: inPackage('build/Release/plugins/tc-redirect-tap'),
          }),
        ]),
      });
    });

    it('puts its plugin into a directory for other tools', async () => {
      const directory = join(installation.folder, 'plugins');
      await mkdir(directory, { recursive: true });
      await run(inPackage('scripts/install-plugin'), [directory], { env: installation.env });
      const { exitCode, stdout } = await outcomeOf(join(directory, 'tc-redirect-tap'), [], {
        env: { ...installation.env, CNI_COMMAND: 'VERSION' },
        input: '{"cniVersion":"1.1.0"}',
      });
      expect(exitCode).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({
        supportedVersions: expect.arrayContaining(['0.3.0', '1.1.0']),
      });
    });

    it('leaves nothing in the lab', async () => {
      await run(installation.node, ['user.mjs'], { cwd: installation.folder, env: installation.env });
      const before = await canonicalDump();
      await run(installation.node, ['user.mjs'], { cwd: installation.folder, env: installation.env });
      await expectUnchanged(before);
    });
  });
});
