import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../test/support/tools.mjs';
import { run } from './run.mjs';

const execFileAsync = promisify(execFile);

const build = 'build/dev';
/** Empty files, named by the digest of what passed: any clone on this machine may go by them. */
const stamps = join(cacheDir, 'clang-tidy');
const stampDays = 30;

/** All that the compiler would read for a file, comments included, because they may hold NOLINT. */
async function sourceOf({ directory, command }) {
  const args = command
    .split(/\s+/)
    .slice(1)
    .filter((word, index, words) => word !== '-c' && word !== '-o' && words[index - 1] !== '-o');
  const options = { cwd: directory, maxBuffer: 256 * 1024 * 1024 };
  const { stdout } = await execFileAsync('clang++-14', [...args, '-E', '-C'], options);
  return stdout.replaceAll(process.cwd(), '');
}

/** What a verdict depends on beside the source. */
async function rulesDigest() {
  const version = await run('clang-tidy-14', ['--version']);
  return createHash('sha256').update(version).update(readFileSync('.clang-tidy')).digest('hex');
}

function forgetOldStamps() {
  const oldest = Date.now() - stampDays * 24 * 60 * 60 * 1000;
  for (const name of readdirSync(stamps)) {
    if (statSync(join(stamps, name)).mtimeMs < oldest) rmSync(join(stamps, name), { force: true });
  }
}

/**
 * Clang-tidy over the files that the development build compiles; those that passed as they are, with all that they
 * include, are left out.
 *
 * @param {readonly string[]} files
 */
export async function checkClangTidy(files) {
  const wanted = new Set(files.map((file) => resolve(file)));
  const compiled = JSON.parse(readFileSync(join(build, 'compile_commands.json'), 'utf8'));
  const queue = compiled.filter(({ directory, file }) => wanted.has(resolve(directory, file)));
  const rules = await rulesDigest();
  mkdirSync(stamps, { recursive: true });
  const failures = [];
  const check = async (entry) => {
    const digest = createHash('sha256')
      .update(rules)
      .update(await sourceOf(entry))
      .digest('hex');
    const stamp = join(stamps, digest);
    if (existsSync(stamp)) {
      utimesSync(stamp, new Date(), new Date());
      return;
    }
    const args = ['-p', build, '--quiet', '--warnings-as-errors=*', resolve(entry.directory, entry.file)];
    await run('clang-tidy-14', args);
    writeFileSync(stamp, '');
  };
  const worker = async () => {
    for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) {
      await check(entry).catch((error) => failures.push(error.message));
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  forgetOldStamps();
  if (failures.length > 0) throw new Error(failures.join('\n'));
}
