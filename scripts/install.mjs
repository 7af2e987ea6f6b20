// Builds the addon and the bundled plugin with node-gyp: run by `npm install`, and by `npm run build:native`.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** What the build needs: how to ask for it, and the Debian packages that have it. */
const tools = { make: 'make', 'c++': 'g++', 'pkg-config': 'pkg-config', python3: 'python3' };
const libraries = {
  'libnl-3.0': 'libnl-3-dev',
  'libnl-route-3.0': 'libnl-route-3-dev',
  libnftnl: 'libnftnl-dev',
  libmnl: 'libmnl-dev',
  nlohmann_json: 'nlohmann-json3-dev',
};

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function missingPackages() {
  const missing = Object.entries(tools)
    .filter(([tool]) => !succeeds(tool, ['--version']))
    .map(([, debian]) => debian);
  // Without pkg-config nobody can tell, so all are named.
  const absent = (library) =>
    missing.includes('pkg-config') || !succeeds('pkg-config', ['--exists', library]);
  for (const [library, debian] of Object.entries(libraries)) {
    if (absent(library)) missing.push(debian);
  }
  return missing;
}

/** npm tells its scripts where its own node-gyp is. */
function nodeGyp() {
  const configured = process.env.npm_config_node_gyp;
  if (configured) return [process.execPath, configured];
  try {
    return [process.execPath, createRequire(join(root, 'package.json')).resolve('node-gyp/bin/node-gyp.js')];
  } catch {
    return ['node-gyp'];
  }
}

/** Node-gyp obeys a configured directory by itself; otherwise headers beside the running node spare it a download. */
function headers() {
  if (process.env.npm_config_nodedir) return [];
  const prefix = dirname(dirname(process.execPath));
  const complete = ['node_api.h', 'common.gypi'].every((name) =>
    existsSync(join(prefix, 'include/node', name)),
  );
  return complete ? [`--nodedir=${prefix}`] : [];
}

function fail(message) {
  console.error(`vulcan-net: ${message}`);
  process.exit(1);
}

const missing = missingPackages();
if (missing.length > 0) {
  fail(
    `the build lacks ${missing.join(', ')}. On Debian and Ubuntu:\n  apt-get install ${missing.join(' ')}`,
  );
}
const [command, ...before] = nodeGyp();
const build = spawnSync(
  command,
  [...before, 'configure', 'build', '--release', '--jobs=max', '--loglevel=warn', ...headers()],
  { cwd: root, stdio: 'inherit' },
);
if (build.error) fail(`node-gyp does not start (${build.error.message}). npm install -g node-gyp`);
if (build.status !== 0) fail('the build failed; the compiler says why above');
