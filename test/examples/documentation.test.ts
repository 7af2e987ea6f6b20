import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { markdownExamples, runnable, sourceExamples } from '../support/example-blocks.ts';
import { netnsDir, resetLab } from '../support/lab.ts';
import { outcomeOf } from '../support/run.ts';

/** Inside the package, so that the examples find it by its name. */
mkdirSync('build', { recursive: true });
const workspace = mkdtempSync(join('build', 'examples-'));

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
      const { exitCode, stderr } = await outcomeOf(process.execPath, [file]);
      expect(stderr).not.toMatch(/Error/);
      expect(exitCode).toBe(0);
      expect(await readdir(netnsDir).catch(() => [])).toEqual([]);
    },
  );
});
