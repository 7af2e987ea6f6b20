/** The suite with the addon and the plugin under sanitizers; the C++ unit tests, too, for leaks and for races. */
import { spawn } from 'node:child_process';

/** All that load the addon; a guest's emulator and other versions of Node are no programs of ours. */
const projects = ['kernel', 'contract', 'lifecycle', 'examples'];
const quickFiles = ['netlink-dump', 'firewall-table', 'plugin-protocol'];
const outputLimit = 64 * 1024;

/** Rejects with the end of what was printed. */
function runTo(file, args, env = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { env: { ...process.env, NO_COLOR: '1', ...env } });
    let output = '';
    const keep = (chunk) => {
      output = (output + chunk).slice(-outputLimit);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', reject);
    child.on('close', (status) => {
      if (status === 0) resolve(output);
      else reject(new Error(`${file} ${args.join(' ')}: ${status}\n${output}`));
    });
  });
}

export async function prove({ quick, log }) {
  for (const build of ['asan', 'tsan']) {
    log(`building build/${build}`);
    await runTo(process.execPath, ['scripts/build-dev.mjs', build]);
  }
  log('unit tests, with AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer');
  await runTo('build/asan/unit_tests', ['--gtest_brief=1']);
  log('unit tests, with ThreadSanitizer');
  // It needs the addresses where it expects them.
  await runTo('setarch', ['--addr-no-randomize', 'build/tsan/unit_tests', '--gtest_brief=1']);
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--config', 'test/vitest.config.ts'];
  const counts = [];
  for (const project of quick ? ['kernel'] : projects) {
    log(`${project}/, with AddressSanitizer and UndefinedBehaviorSanitizer`);
    const files = quick ? quickFiles : [];
    const args = [process.execPath, ...vitest, '--project', project, ...files];
    const output = await runTo('scripts/sanitized', args);
    const [, count] = /Tests\s+(\d+ passed.*)/.exec(output) ?? [];
    if (count === undefined) throw new Error(`no test of ${project}/ ran:\n${output}`);
    counts.push(`${project}/ ${count}`);
  }
  return counts.join(', ');
}
