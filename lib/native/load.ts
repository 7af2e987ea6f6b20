import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NetworkError } from '../errors.ts';
import type { NativeBinding } from './binding.ts';

/** Debian's packages of the libraries that the addon is linked to. */
const debianPackages: Readonly<Record<string, string>> = {
  'libnl-3.so.200': 'libnl-3-200',
  'libnl-route-3.so.200': 'libnl-route-3-200',
  'libnftnl.so.11': 'libnftnl11',
  'libmnl.so.0': 'libmnl0',
  'libstdc++.so.6': 'libstdc++6',
};

/** `lib/` and `dist/` lie equally deep in the package. `VULCAN_NET_NATIVE` names another build: one with sanitizers. */
function addonPath(): string {
  return (
    process.env['VULCAN_NET_NATIVE'] ??
    fileURLToPath(new URL('../../build/Release/vulcan_net.node', import.meta.url))
  );
}

/** Whether a bundler has put this code into a file of somebody else's, where the addon is not. */
function isBundled(): boolean {
  try {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    return (JSON.parse(text) as { readonly name?: unknown }).name !== 'vulcan-net';
  } catch {
    return true;
  }
}

/** What to do about a message of the dynamic linker. */
export function explainLoadFailure(message: string): string {
  const library = /^(\S+\.so[.\d]*): cannot open shared object file/.exec(message)?.[1];
  if (library === undefined) {
    return isBundled()
      ? 'tell the bundler that vulcan-net is external'
      : 'build it with: npm rebuild vulcan-net';
  }
  const debian = debianPackages[library];
  return debian === undefined
    ? `install the package that has ${library}`
    : `${library} is missing: apt-get install ${debian}`;
}

let loaded: NativeBinding | undefined;

/** The addon; loaded once, when it is first needed. */
export function loadNative(): NativeBinding {
  if (loaded !== undefined) return loaded;
  const path = addonPath();
  try {
    loaded = createRequire(import.meta.url)(path) as NativeBinding;
    return loaded;
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new NetworkError(
      'ERR_NATIVE_LOAD',
      `cannot load ${path}: ${message}; ${explainLoadFailure(message)}`,
      {
        path,
        cause,
      },
    );
  }
}

/** Where the `tc-redirect-tap` that comes with this package is, and nothing else. */
export function bundledPluginDirectory(): string {
  return join(dirname(addonPath()), 'plugins');
}
