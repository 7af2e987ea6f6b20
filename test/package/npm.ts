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

/**
 * Installs the packed tarball into an empty folder, where npm builds it. A lab has no network: the dependencies are packed
 * from this tree too.
 */
export async function installPacked(
  node: string,
  npmConfig: Record<string, string> = {},
): Promise<Installation> {
  const folder = await mkdtemp(join(tmpdir(), 'vulcan-package-'));
  const tarballs: string[] = [];
  for (const source of [root, ...ownDependencies.map((name) => join(root, 'node_modules', name))]) {
    tarballs.push((await pack(source, folder)).tarball);
  }
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }\n');
  await writeFile(join(folder, 'npmrc'), '');
  const env = plainEnvironment({
    PATH: `${dirname(node)}:${process.env['PATH']}`,
    npm_config_userconfig: join(folder, 'npmrc'),
    ...Object.fromEntries(Object.entries(npmConfig).map(([key, value]) => [`npm_config_${key}`, value])),
  });
  await run('npm', ['install', '--offline', '--no-audit', '--no-fund', ...tarballs], { cwd: folder, env });
  return { folder, env, node, [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }) };
}

/** Where the addon's build took Node's headers from. */
export async function headersOf({ folder }: Installation): Promise<string | undefined> {
  const text = await readFile(join(folder, 'node_modules/vulcan-net/build/config.gypi'), 'utf8');
  return /"nodedir": "([^"]+)"/.exec(text)?.[1];
}
