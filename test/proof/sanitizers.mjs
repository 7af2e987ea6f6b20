/** The suite with the addon and the plugin under sanitizers; the C++ unit tests, too, for leaks and for races. */
import { runToEnd, vitestOf } from '../support/run-to-end.mjs';

/** What loads the addon; injected faults, a guest's emulator and other versions of Node get in the way of sanitizers. */
const projects = ['kernel', 'contract', 'lifecycle', 'model', 'examples'];
const quickFiles = ['netlink-dump', 'firewall-table', 'plugin-protocol'];

export async function prove({ quick, log }) {
  for (const build of ['asan', 'tsan']) {
    log(`building build/${build}`);
    await runToEnd(process.execPath, ['scripts/build-dev.mjs', build]);
  }
  log('unit tests, with AddressSanitizer, UndefinedBehaviorSanitizer and LeakSanitizer');
  await runToEnd('build/asan/unit_tests', ['--gtest_brief=1']);
  log('unit tests, with ThreadSanitizer');
  // It needs the addresses where it expects them.
  await runToEnd('setarch', ['--addr-no-randomize', 'build/tsan/unit_tests', '--gtest_brief=1']);
  const counts = [];
  for (const project of quick ? ['kernel'] : projects) {
    log(`${project}/, with AddressSanitizer and UndefinedBehaviorSanitizer`);
    const files = quick ? quickFiles : [];
    const args = [...vitestOf(project), ...files];
    const output = await runToEnd('scripts/sanitized', args);
    const [, count] = /Tests\s+(\d+ passed.*)/.exec(output) ?? [];
    if (count === undefined) throw new Error(`no test of ${project}/ ran:\n${output}`);
    counts.push(`${project}/ ${count}`);
  }
  return counts.join(', ');
}
