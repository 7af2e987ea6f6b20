import { readdir, readFile, stat } from 'node:fs/promises';
import { until } from './lab.ts';

/** Waits until a manager says that it waits for a lock of the directory, to have it alone. */
export function untilAwaited(locks: string): Promise<void> {
  return until('a manager to wait for a lock', async () => {
    const inodes = (await readdir(locks)).map((name) => stat(`${locks}/${name}`).then(({ ino }) => ino));
    const held = [
      ...(await readFile('/proc/locks', 'utf8')).matchAll(/OFDLCK .* [0-9a-f]+:[0-9a-f]+:(\d+) 0 0$/gm),
    ];
    const announced = new Set(held.map(([, inode]) => Number(inode)));
    return (await Promise.all(inodes)).some((inode) => announced.has(inode));
  });
}
