// Builds for development with cmake-js, below build/: `npm run build:dev`, or with a sanitizer `npm run build:dev asan`.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** What CMake is told for each build. */
const builds = {
  dev: [],
  asan: ['--CDCMAKE_CXX_COMPILER=clang++-14', '--CDSANITIZE=address,undefined', '--CDFUZZ=ON'],
  tsan: ['--CDSANITIZE=thread', '--target', 'unit_tests'],
};

const [name = 'dev', ...rest] = process.argv.slice(2);
if (!Object.hasOwn(builds, name)) {
  console.error(`usage: build-dev.mjs [${Object.keys(builds).join('|')}] [OPTION-OF-CMAKE-JS...]`);
  process.exit(64);
}
const cmakeJs = fileURLToPath(import.meta.resolve('cmake-js/bin/cmake-js'));
const options = ['--directory', 'native', '--out', `build/${name}`, '--debug', '--log-level', 'warn'];
const cwd = fileURLToPath(new URL('..', import.meta.url));

// Each time: a build whose first configuration failed would otherwise never get another.
for (const verb of ['configure', 'build']) {
  const args = [cmakeJs, verb, ...options, ...builds[name], ...rest];
  const { status } = spawnSync(process.execPath, args, { cwd, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
