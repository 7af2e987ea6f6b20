import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { markdownExamples, runnable, sourceExamples } from '../support/example-blocks.ts';
import { netnsDir, resetLab } from '../support/lab.ts';
import { outcomeOf } from '../support/run.ts';

/** Inside the package, so that the examples find it by its name. */
mkdirSync('build', { recursive: true });
const workspace = mkdtempSync(join('build', 'examples-'));

/**
 * In place of Firecracker, which the tests do not have: looks whether it is called by its documentation, in the VM's
 * namespace and with its TAP.
 */
const standIn = `#!/bin/sh
set -eu
trap '[ $? -eq 0 ] || echo "Error: not what Firecracker takes: $*" >&2' EXIT
[ "$1 $2" = '--no-api --config-file' ]
tap=$(sed -n 's/.*"host_dev_name":"\\([^"]*\\)".*/\\1/p' "$3")
grep -q "^ *$tap:" /proc/net/dev
grep -q '"guest_mac":"..:..:..:..:..:.."' "$3"
grep -q '"boot_args":"[^"]* ip=' "$3"
`;
writeFileSync(join(workspace, 'firecracker'), standIn, { mode: 0o755 });
const env = { ...process.env, PATH: [resolve(workspace), process.env['PATH']].join(delimiter) };

describe('what users are shown runs', () => {
  beforeEach(resetLab);
  afterAll(() => rmSync(workspace, { recursive: true }));

  const examples = [...markdownExamples('README.md'), ...sourceExamples('lib')];

  it('and there is something to show', () => {
    expect(examples.length).toBeGreaterThan(5);
  });

  it.each(examples.map((example, index) => [example.place, example, index] as const))(
    '%s',
    async (_place, example, index) => {
      const file = join(workspace, `example-${index}.mjs`);
      writeFileSync(file, runnable(example));
      const { exitCode, stderr } = await outcomeOf(process.execPath, [file], { env });
      expect(stderr).not.toMatch(/Error/);
      expect(exitCode).toBe(0);
      expect(await readdir(netnsDir).catch(() => [])).toEqual([]);
    },
  );
});
