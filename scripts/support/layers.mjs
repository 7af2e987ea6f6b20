/** The house's floors, and who includes what. A file may know its own room, and every room of the floors below. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import ts from 'typescript';

/** Each floor's rooms, from the ground up; a room is a list of folders (`cni/`) or of files without suffix (`config`). */
const houses = [
  {
    folder: 'native',
    suffixes: ['.cc', '.h'],
    floors: [[['base/']], [['sys/']], [['netlink/'], ['nft/']], [['engine/']], [['addon/'], ['plugin/']]],
    importsOf: includesOf,
    resolve: (_file, name) => name,
  },
  {
    folder: 'lib',
    suffixes: ['.ts'],
    floors: [
      [['types', 'errors', 'address', 'bridges', 'options', 'settings', 'rules', 'verb', 'steps', 'async/']],
      [['observe']],
      [['config/'], ['statistics'], ['signals'], ['operation'], ['native/']],
      [['cni/'], ['ipam'], ['firewall'], ['firecracker']],
      [['backends/host/']],
      [['backends/network/']],
      [['verify/']],
      [['backends/attachment/']],
      [['backends/recovery/']],
      [['backends/inspect/'], ['backends/cni/']],
      [['backends/native/']],
      [['backends/pool/']],
      [
        [
          'backends/backend',
          'backends/recorded-backend',
          'backends/open-backend',
          'backends/cni',
          'backends/native',
          'backends/by-name',
        ],
      ],
      [['network-manager', 'own-vms']],
      [['index']],
    ],
    importsOf: (text) => ts.preProcessFile(text).importedFiles.map(({ fileName }) => fileName),
    resolve: (file, name) => (name.startsWith('.') ? join(file, '..', name) : name),
  },
];

/** What only some files may know. */
const confined = [
  { folder: 'native', pattern: /^<?(napi|node_api)\.h$/, only: /^addon\// },
  { folder: 'lib', pattern: /^zod(\/|$)/, only: /^(config\/\S+|cni\/protocol)\.ts$/ },
  { folder: 'lib', pattern: /^(node:)?child_process$/, only: /^$/ },
];

/** Names in angle brackets keep the first: `<sys/socket.h>` is the system's, `sys/netns.h` ours. @param {string} text */
function includesOf(text) {
  return [...text.matchAll(/^\s*#\s*include\s*(?:"([^"]+)|(<[^>]+))/gm)].map(
    ([, own, system]) => own ?? system ?? '',
  );
}

/** @param {string} directory @returns {string[]} */
function filesUnder(directory) {
  return readdirSync(directory).flatMap((name) => {
    const path = join(directory, name);
    return statSync(path).isDirectory() ? filesUnder(path) : [path];
  });
}

/** @param {string[][][]} floors @param {string} file */
function placeOf(floors, file) {
  const stem = file.replace(/\.[^./]+$/, '');
  for (const [floor, rooms] of floors.entries()) {
    const room = rooms.findIndex((names) =>
      names.some((name) => (name.endsWith('/') ? file.startsWith(name) : stem === name)),
    );
    if (room >= 0) return { floor, room };
  }
  return null;
}

/** @param {{ floor: number, room: number }} from @param {{ floor: number, room: number }} to */
function directionOf(from, to) {
  if (to.floor > from.floor) return 'upward';
  return to.floor === from.floor && to.room !== from.room ? 'sideways' : null;
}

/**
 * Every import that goes upward or sideways, and every file without a floor; empty when the house stands.
 *
 * @param {string} root @returns {string[]}
 */
export function layerViolations(root) {
  const violations = [];
  for (const { folder, suffixes, floors, importsOf, resolve } of houses) {
    const base = join(root, folder);
    const files = filesUnder(base).map((path) => relative(base, path));
    for (const file of files.filter((name) => suffixes.some((suffix) => name.endsWith(suffix)))) {
      const from = placeOf(floors, file);
      if (from === null) {
        violations.push(`${folder}/${file}: has no floor`);
        continue;
      }
      for (const name of importsOf(readFileSync(join(base, file), 'utf8'))) {
        const target = resolve(file, name);
        const to = placeOf(floors, target);
        const direction = to && directionOf(from, to);
        if (direction) violations.push(`${folder}/${file}: imports ${target}, ${direction}`);
        const rule = confined.find((one) => one.folder === folder && one.pattern.test(name));
        if (rule && !rule.only.test(file))
          violations.push(`${folder}/${file}: may not know ${name.replace('<', '')}`);
      }
    }
  }
  return violations;
}
