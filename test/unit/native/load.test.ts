import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { bundledPluginDirectory, loadNative } from '../../../lib/native/load.ts';
import { addonFile } from '../../support/native.ts';
import { outcomeOf } from '../../support/run.ts';

async function membersOf(file: string, interfaceName: string): Promise<string[]> {
  const path = new URL(`../../../lib/native/${file}`, import.meta.url);
  const source = ts.createSourceFile(file, await readFile(path, 'utf8'), ts.ScriptTarget.Latest);
  const found = source.statements.find(
    (statement) => ts.isInterfaceDeclaration(statement) && statement.name.text === interfaceName,
  ) as ts.InterfaceDeclaration;
  return found.members.map((member) => (member.name as ts.Identifier).text);
}

describe('loadNative', () => {
  it('loads the addon once', () => {
    expect(loadNative()).toBe(loadNative());
  });

  it('finds every function that is declared, and no other', async () => {
    const declared = [
      ...(await membersOf('binding.ts', 'NativeBinding')),
      ...(await membersOf('sys.ts', 'SysBinding')),
      ...(await membersOf('netlink.ts', 'NetlinkBinding')),
      ...(await membersOf('engine.ts', 'EngineBinding')),
      ...(await membersOf('attachment.ts', 'AttachmentBinding')),
      ...(await membersOf('slots.ts', 'SlotBinding')),
    ];
    expect(Object.keys(loadNative()).sort()).toEqual(declared.sort());
  });
});

describe('bundledPluginDirectory', () => {
  it('has the plugin and nothing else, so that it can be a plugin directory', async () => {
    expect(await readdir(bundledPluginDirectory())).toEqual(['tc-redirect-tap']);
  });
});

describe('an addon that cannot be loaded', () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'vulcan-net-'));
    vi.resetModules();
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });

  async function failureOf(path: string): Promise<unknown> {
    vi.stubEnv('VULCAN_NET_NATIVE', path);
    const fresh = await import('../../../lib/native/load.ts');
    try {
      fresh.loadNative();
    } catch (error) {
      return error;
    }
    throw new Error('it was loaded');
  }

  /** The addon, wanting another version of a library. */
  async function addonThatWants(library: string, instead: string): Promise<string> {
    const path = join(directory, 'vulcan_net.node');
    const text = (await readFile(addonFile)).toString('latin1');
    await writeFile(path, Buffer.from(text.replaceAll(library, instead), 'latin1'));
    return path;
  }

  it('names the library that is missing', async () => {
    const path = await addonThatWants('libnftnl.so.11', 'libnftnl.so.00');
    expect(await failureOf(path)).toMatchObject({
      code: 'ERR_NATIVE_LOAD',
      path,
      message: expect.stringContaining('install the package that has libnftnl.so.00'),
    });
  });

  it('names the Debian package of a library that is missing', async () => {
    const { explainLoadFailure } = await import('../../../lib/native/load.ts');
    const missing = (library: string) =>
      `${library}: cannot open shared object file: No such file or directory`;
    for (const [library, debian] of [
      ['libnl-3.so.200', 'libnl-3-200'],
      ['libnl-route-3.so.200', 'libnl-route-3-200'],
      ['libnftnl.so.11', 'libnftnl11'],
      ['libmnl.so.0', 'libmnl0'],
    ] as const) {
      expect(explainLoadFailure(missing(library))).toBe(`${library} is missing: apt-get install ${debian}`);
    }
  });

  it('says how to build one that is not there', async () => {
    expect(await failureOf(join(directory, 'none.node'))).toMatchObject({
      code: 'ERR_NATIVE_LOAD',
      message: expect.stringContaining('npm rebuild vulcan-net'),
      cause: { code: 'MODULE_NOT_FOUND' },
    });
  });

  it('says what to tell a bundler that left it behind', async () => {
    await mkdir(join(directory, 'out/native'), { recursive: true });
    await writeFile(join(directory, 'package.json'), '{ "name": "launcher", "type": "module" }');
    for (const name of ['errors', 'native/load']) {
      const source = await readFile(new URL(`../../../lib/${name}.ts`, import.meta.url), 'utf8');
      const { outputText } = ts.transpileModule(source.replaceAll(/(from '\..*)\.ts'/g, "$1.js'"), {
        compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
      });
      await writeFile(join(directory, `out/${name}.js`), outputText);
    }
    const program = `import { loadNative } from './out/native/load.js'; loadNative();`;
    await writeFile(join(directory, 'main.js'), program);
    const { exitCode, stderr } = await outcomeOf(process.execPath, [join(directory, 'main.js')]);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('tell the bundler that vulcan-net is external');
  });

  it('says how to replace one that is broken', async () => {
    const path = join(directory, 'vulcan_net.node');
    await writeFile(path, 'not an ELF file');
    expect(await failureOf(path)).toMatchObject({
      code: 'ERR_NATIVE_LOAD',
      message: expect.stringContaining('npm rebuild vulcan-net'),
    });
  });
});
