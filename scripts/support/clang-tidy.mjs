import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { run, trackedFiles } from './run.mjs';

const build = 'build/dev';
const stamps = join(build, 'clang-tidy');

/** What every file's verdict depends on beside itself: all headers, the flags and the list of checks. */
function commonDigest() {
  const headers = trackedFiles(['native', 'test/native']).filter((file) => file.endsWith('.h'));
  const hash = createHash('sha256');
  for (const file of ['.clang-tidy', ...headers]) hash.update(readFileSync(file));
  return hash.digest('hex');
}

/** @param {string} file @param {string} common */
function stampOf(file, common) {
  const digest = createHash('sha256').update(file).update(common).update(readFileSync(file)).digest('hex');
  return join(stamps, digest);
}

/**
 * Clang-tidy over the files that the development build compiles; those that passed since they last changed are left out.
 *
 * @param {readonly string[]} files
 */
export async function checkClangTidy(files) {
  const compiled = JSON.parse(readFileSync(join(build, 'compile_commands.json'), 'utf8'));
  const known = new Set(compiled.map((entry) => resolve(entry.directory, entry.file)));
  const common = commonDigest();
  mkdirSync(stamps, { recursive: true });
  const queue = files.filter((file) => known.has(resolve(file)) && !existsSync(stampOf(file, common)));
  const failures = [];
  const worker = async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      await run('clang-tidy-14', ['-p', build, '--quiet', '--warnings-as-errors=*', file]).then(
        () => writeFileSync(stampOf(file, common), ''),
        (error) => failures.push(error.message),
      );
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  if (failures.length > 0) throw new Error(failures.join('\n'));
}
