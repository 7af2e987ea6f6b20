import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Not part of the state: host-local's memory and its lock, a network's lock, namespaces (they have lines of their own),
 * the lab's own files.
 */
const ignored = [
  /^\/(run|var\/lib)\/cni\/networks\/[^/]+\/(last_reserved_ip\..*|lock)$/,
  /\/locks\/\.network-[^/]+$/,
  /^\/run\/(vulcan-lab|layers|lock|mount|xtables\.lock)$/,
];

/** @param {string} path @returns {Promise<string[]>} */
async function dumpFile(path) {
  const stat = await lstat(path);
  if (stat.isDirectory()) return dumpDirectory(path);
  if (stat.isSymbolicLink()) return [`file ${path} -> ${await readlink(path)}`];
  const mode = (stat.mode & 0o7777).toString(8).padStart(4, '0');
  if (!stat.isFile()) return [`file ${path} ${mode} special`];
  const content = await readFile(path).catch(() => null);
  if (content === null) return [`file ${path} ${mode} unreadable`];
  const digest = createHash('sha256').update(content).digest('hex').slice(0, 12);
  return [`file ${path} ${mode} ${content.length} bytes ${digest}`];
}

/** @param {string} directory @returns {Promise<string[]>} */
async function dumpDirectory(directory) {
  const names = await readdir(directory).catch(() => []);
  const lines = [];
  for (const name of names.sort()) {
    const path = join(directory, name);
    if (ignored.some((pattern) => pattern.test(path))) continue;
    lines.push(...(await dumpFile(path).catch(() => [])));
  }
  return lines;
}

/** Files under the directories, each with mode, size and digest. @param {readonly string[]} directories */
export async function dumpFiles(directories) {
  return (await Promise.all(directories.map(dumpDirectory))).flat();
}
