/** Where the tools of the benchmark are: what `scripts/test` installs, what the build makes, what the benchmark builds. */
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cnitool, upstreamPluginDir } from '../support/tools.mjs';

const ourPluginDir = fileURLToPath(new URL('../../build/Release/plugins', import.meta.url));

function required(file, remedy) {
  if (!existsSync(file)) throw new Error(`${file} is missing: ${remedy}`);
  return file;
}

export function findTools() {
  const original = process.env['VULCAN_TC_REDIRECT_TAP'];
  const remedy = 'run scripts/test once, it installs it';
  required(`${upstreamPluginDir}/bridge`, remedy);
  required(`${ourPluginDir}/tc-redirect-tap`, 'run npm run build');
  return {
    cnitool: required(cnitool, remedy),
    pluginDirs: [upstreamPluginDir, ourPluginDir],
    originalPluginDirs: original
      ? [upstreamPluginDir, dirname(required(original, 'VULCAN_TC_REDIRECT_TAP names it'))]
      : null,
  };
}
