import { readdir, readFile, stat } from 'node:fs/promises';
import { until } from './lab.ts';

/** Waits until managers say that they wait for so many locks of the directory, to have each alone. */
export function untilAwaited(locks: string, count = 1): Promise<void> {
  return until(`${count} locks to be waited for`, async () => {
    const inodes = (await readdir(locks)).map((name) => stat(`${locks}/${name}`).then(({ ino }) => ino));
    const held = [
      ...(await readFile('/proc/locks', 'utf8')).matchAll(/OFDLCK .* [0-9a-f]+:[0-9a-f]+:(\d+) 0 0$/gm),
    ];
    const announced = new Set(held.map(([, inode]) => Number(inode)));
    return (await Promise.all(inodes)).filter((inode) => announced.has(inode)).length >= count;
  });
}
