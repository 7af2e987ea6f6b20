#!/usr/bin/env node
/**
 * Every check but the tests, a line each with its time: `npm run check [-- NAME...]`; `!NAME` is all but that one. Fails
 * when any of them does.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkClangTidy } from './support/clang-tidy.mjs';
import { longFiles } from './support/file-length.mjs';
import { layerViolations } from './support/layers.mjs';
import { brokenLinks } from './support/links.mjs';
import { run, trackedFiles } from './support/run.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
process.chdir(root);

const bin = (name) => `node_modules/.bin/${name}`;
const nativeFiles = () => trackedFiles(['native', 'test/native']).filter((file) => /\.(cc|h)$/.test(file));

const shellScripts = () =>
  trackedFiles(['scripts', '.ci', 'test/support/guest']).filter((file) =>
    /^#!.*\b(ba)?sh\b/.test(readFileSync(file, 'utf8')),
  );

/** Once, for all checks that need what it makes. */
let built;
const build = () => {
  built ??= run('npm', ['run', '--silent', 'build:ts']);
  return built;
};

async function checkPackageTypes() {
  const directory = mkdtempSync(join(tmpdir(), 'vulcan-net-'));
  try {
    await build();
    await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', directory]);
    const [tarball] = readdirSync(directory);
    await run(bin('attw'), [join(directory, tarball), '--profile', 'esm-only']);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function expectNone(problems) {
  if (problems.length > 0) throw new Error(problems.join('\n'));
}

const checks = {
  biome: () => run(bin('biome'), ['ci', '--colors=off', '.']),
  types: build,
  'test-types': () => run(bin('tsc'), ['-p', 'test']),
  layers: () => expectNone(layerViolations(root)),
  'file-length': () => expectNone(longFiles(trackedFiles(['.']))),
  links: () => expectNone(brokenLinks(trackedFiles(['.']).filter((file) => file.endsWith('.md')))),
  'clang-format': () => run('clang-format-14', ['--dry-run', '-Werror', ...nativeFiles()]),
  shellcheck: () => run('shellcheck', ['--external-sources', ...shellScripts()]),
  'development-build': () => run('npm', ['run', '--silent', 'build:dev']),
  'clang-tidy': () => checkClangTidy(),
  knip: () => run(bin('knip'), []),
  readme: () => build().then(() => run('node', ['scripts/readme.mjs', '--check'])),
  package: () => build().then(() => run(bin('publint'), ['--strict'])),
  'package-types': checkPackageTypes,
};

const names = process.argv.slice(2);
const unknown = names.filter((name) => !(name.replace('!', '') in checks));
if (unknown.length > 0)
  throw new Error(`no check named ${unknown}; there are: ${Object.keys(checks).join(', ')}`);
const wanted = names.filter((name) => !name.startsWith('!'));

for (const [name, check] of Object.entries(checks)) {
  if (names.includes(`!${name}`) || (wanted.length > 0 && !wanted.includes(name))) continue;
  const began = performance.now();
  const beat = setInterval(() => console.log(`  ....           ${name}`), 60_000);
  const failure = await Promise.resolve()
    .then(check)
    .then(
      () => null,
      (error) => error,
    );
  clearInterval(beat);
  const seconds = ((performance.now() - began) / 1000).toFixed(1).padStart(6);
  console.log(`  ${failure ? 'FAIL' : 'ok  '} ${seconds} s  ${name}`);
  if (failure) {
    console.log(failure.message.replace(/^/gm, '    | '));
    process.exitCode = 1;
  }
}
