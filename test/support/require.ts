import { accessSync, constants, existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'vitest';
import { bundledPluginDirectory } from '../../lib/native/load.ts';
import { shim } from './faults/subject.mjs';
import { hasFuzzers } from './fuzz.mjs';
import { insideLab } from './lab.ts';
import {
  browser,
  cnitool,
  debianPluginDir,
  guestImage,
  libcniClient,
  nodes,
  noopPluginDir,
  pluginGenerations,
  upstreamPluginDir,
} from './tools.mjs';

function executable(name: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((directory) => usable(join(directory, name)));
}

function usable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

const bundledPlugin = join(bundledPluginDirectory(), 'tc-redirect-tap');

const capabilities = {
  lab: insideLab,
  tun: () => existsSync('/dev/net/tun'),
  'debian-plugins': () => usable(join(debianPluginDir, 'bridge')),
  'upstream-plugins': () => usable(join(upstreamPluginDir, 'bridge')),
  cnitool: () => usable(cnitool),
  noop: () => usable(join(noopPluginDir, 'noop')),
  libcni: () => usable(libcniClient),
  qemu: () => executable('qemu-system-x86_64'),
  'guest-image': () => existsSync(guestImage.kernel) && existsSync(guestImage.initramfs),
  browser: () => usable(browser),
  'node-lts': () => usable(nodes.lts),
  'node-current': () => usable(nodes.current),
  shim: () => usable(shim) && usable(bundledPlugin),
  plugins: () => pluginGenerations.length > 0,
  strace: () => executable('strace'),
  fuzzers: hasFuzzers,
} as const satisfies Record<string, () => boolean>;

/** What a test may need that not every machine has; `scripts/test` installs all of it. */
export type Capability = keyof typeof capabilities;

function firstMissing(needs: readonly Capability[]): string | null {
  return needs.find((need) => !capabilities[need]()) ?? null;
}

const mustWork = (process.env['CI'] ?? '') !== '' && process.env['CI'] !== 'false';

/** Skips the running test where something is missing, and says what; fails it in CI. */
export function requires(context: TestContext, ...needs: readonly Capability[]): void {
  const missing = firstMissing(needs);
  if (missing === null) return;
  if (mustWork) throw new Error(`CI lacks ${missing}: scripts/test installs it`);
  context.skip(`this machine lacks ${missing}: scripts/test installs it`);
}

/** A `describe` whose tests are skipped where something is missing, and fail in CI. */
export function describeWith(needs: readonly Capability[], title: string, tests: () => void): void {
  const missing = firstMissing(needs);
  if (missing === null) {
    describe(title, tests);
  } else if (mustWork) {
    it(title, () => {
      throw new Error(`CI lacks ${missing}: scripts/test installs it`);
    });
  } else {
    describe.skip(`${title} (this machine lacks ${missing})`, tests);
  }
}
