import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../support/run.ts';

export const root = fileURLToPath(new URL('../..', import.meta.url));

const ownDependencies = ['node-addon-api', 'zod'];

/** The environment without what npm and vitest put there, so that a child decides for itself. */
export function plainEnvironment(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_|vitest|node_options)/i.test(name),
  );
  return { ...Object.fromEntries(inherited), ...extra };
}

/** `npm pack`: the tarball's path, and the paths in it. */
export async function pack(
  folder: string,
  destination: string,
): Promise<{ tarball: string; files: string[] }> {
  const args = ['pack', folder, '--json', '--ignore-scripts', '--pack-destination', destination];
  const [packed] = JSON.parse(await run('npm', args, { cwd: destination, env: plainEnvironment() })) as {
    filename: string;
    files: { path: string }[];
  }[];
  if (!packed) throw new Error(`npm packed nothing of ${folder}`);
  return { tarball: join(destination, packed.filename), files: packed.files.map(({ path }) => path).sort() };
}

export interface Installation extends AsyncDisposable {
  readonly folder: string;
  /** Of the node that built it and runs it. */
  readonly env: NodeJS.ProcessEnv;
  readonly node: string;
}

/** What npm is run in, with that node, and configured so. */
async function environmentOf(folder: string, node: string, config: Readonly<Record<string, string>>) {
  await writeFile(join(folder, 'npmrc'), '');
  return plainEnvironment({
    PATH: `${dirname(node)}:${process.env['PATH']}`,
    npm_config_userconfig: join(folder, 'npmrc'),
    ...Object.fromEntries(Object.entries(config).map(([key, value]) => [`npm_config_${key}`, value])),
  });
}

/**
 * Installs the packed tarball into an empty folder, where npm builds it. A lab has no network: the dependencies are packed
 * from this tree too.
 */
export async function installPacked(node: string): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), 'vulcan-package-'));
  const tarballs: string[] = [];
  for (const source of [root, ...ownDependencies.map((name) => join(root, 'node_modules', name))]) {
    tarballs.push((await pack(source, folder)).tarball);
  }
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  const env = await environmentOf(folder, node, {});
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', ...tarballs], { cwd: folder, env });
  return { folder, env, node, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/**
 * Has npm build it again, by another node and configuration; what is made of the same headers by the same commands, make
 * takes over.
 */
export async function rebuilt(
  installation: Installation,
  node: string,
  npmConfig: Readonly<Record<string, string>>,
): Promise<Installation> {
  const env = await environmentOf(installation.folder, node, npmConfig);
  await run('npm', ['rebuild', '--offline', 'vulcan-net'], { cwd: installation.folder, env });
  return { ...installation, env, node };
}

/** Where the addon's build took Node's headers from. */
export async function headersOf({ folder }: Installation): Promise<string | undefined> {
  const text = await readFile(join(folder, 'node_modules/vulcan-net/build/config.gypi'), 'utf8');
  return /"nodedir": "([^"]+)"/.exec(text)?.[1];
}
