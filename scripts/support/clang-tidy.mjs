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
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../test/support/tools.mjs';
import { run } from './run.mjs';

const execFileAsync = promisify(execFile);

const build = 'build/dev';
/** Empty files, named by the digest of what passed: any clone on this machine may go by them. */
const stamps = join(cacheDir, 'clang-tidy');
const stampDays = 30;

/** The standard library's functions are taken as they are declared: half of the time went into looking at them. */
const analyzer = ['-Xclang', '-analyzer-config', '-Xclang', 'c++-stdlib-inlining=false'];

/** What a command of the build tells the compiler, but for its files. */
const flagsOf = ({ command, file }) =>
  command
    .split(/\s+/)
    .slice(1)
    .filter(
      (word, index, words) => word !== '-c' && word !== '-o' && words[index - 1] !== '-o' && word !== file,
    );

/** Clang's analyzer leaves out what is included: sources that a file includes are put in their places. */
function expand(file) {
  const places = []; // the source that each line is of, with its number there
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      const [, source] = /^#include "(\/.*\.cc)"$/.exec(line) ?? [];
      const own = source === undefined ? [line] : readFileSync(source, 'utf8').split('\n');
      places.push(...own.map((_, number) => (source === undefined ? [file, index] : [source, number])));
      return own;
    });
  return { text: lines.join('\n'), places };
}

const placeOf = (places, line) => {
  const [source, number] = places[line - 1];
  return `${source}:${number + 1}`;
};

/** All that the compiler would read, comments included, because they may hold NOLINT. */
async function sourceOf(path, flags, directory) {
  const options = { cwd: directory, maxBuffer: 256 * 1024 * 1024 };
  const { stdout } = await execFileAsync('clang++-14', [...flags, '-E', '-C', path], options);
  return stdout.replaceAll(process.cwd(), '');
}

/** What a verdict depends on beside the source. */
async function rulesDigest() {
  const version = await run('clang-tidy-14', ['--version']);
  return createHash('sha256')
    .update(version)
    .update(analyzer.join())
    .update(readFileSync('.clang-tidy'))
    .digest('hex');
}

function forgetOldStamps() {
  const oldest = Date.now() - stampDays * 24 * 60 * 60 * 1000;
  for (const name of readdirSync(stamps)) {
    if (statSync(join(stamps, name)).mtimeMs < oldest) rmSync(join(stamps, name), { force: true });
  }
}

/**
 * Clang-tidy over all that the development build compiles, as it does: most files together with others of their
 * folder. What passed as it is, with all that it includes, is left out.
 */
export async function checkClangTidy() {
  const queue = JSON.parse(readFileSync(join(build, 'compile_commands.json'), 'utf8'));
  const rules = await rulesDigest();
  mkdirSync(stamps, { recursive: true });
  const failures = [];
  const check = async (entry) => {
    const flags = flagsOf(entry);
    const { text, places } = expand(entry.file);
    const together = entry.file.endsWith('.cxx');
    // Beside the file, whose folder says which rules there are.
    const path = together ? entry.file.replace(/\.cxx$/, '_expanded.cc') : entry.file;
    if (together) writeFileSync(path, text);
    const source = await sourceOf(path, flags, entry.directory);
    const digest = createHash('sha256').update(rules).update(source).digest('hex');
    const stamp = join(stamps, digest);
    if (existsSync(stamp)) {
      utimesSync(stamp, new Date(), new Date());
      return;
    }
    const args = ['--quiet', '--warnings-as-errors=*', path, '--', ...flags, ...analyzer];
    await run('clang-tidy-14', args).catch((error) => {
      throw new Error(
        error.message.replaceAll(new RegExp(`${path}:(\\d+)`, 'g'), (_, line) => placeOf(places, line)),
      );
    });
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
