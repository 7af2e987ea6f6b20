/** Builds the floor and the Go peer into build/bench; both are up to date when it returns. */
import { execFile } from 'node:child_process';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));
export const buildDir = fileURLToPath(new URL('../../build/bench', import.meta.url));

export async function buildFloor() {
  const target = join(buildDir, 'floor');
  const sources = (await readdir(join(here, 'floor'))).filter((name) => name.endsWith('.c'));
  const flags = ['-std=gnu17', '-D_GNU_SOURCE', '-O2', '-Wall', '-Wextra', '-Wshadow', '-Werror'];
  await mkdir(buildDir, { recursive: true });
  await run('gcc', [...flags, ...sources.map((name) => join(here, 'floor', name)), '-o', target]);
  return target;
}

export async function buildGoPeer() {
  const target = join(buildDir, 'go-peer');
  await mkdir(buildDir, { recursive: true });
  await run('go', ['build', '-mod=readonly', '-trimpath', '-o', target, '.'], {
    cwd: join(here, 'peers/go'),
  }).catch((error) => {
    if (error.code === 'ENOENT') throw new Error('there is no Go: install it from https://go.dev/dl');
    throw error;
  });
  return target;
}

export const scriptPeer = join(here, 'peers/script/network');
