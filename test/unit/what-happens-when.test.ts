import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Each row of "What happens when" names a test that is there. */

const root = new URL('..', import.meta.url);
const readme = readFileSync(new URL('README.md', root), 'utf8');

const rows = (/## What happens when\n(.*?)\n## /s.exec(readme)?.[1] ?? '')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| ---') && !line.startsWith('| when '))
  .map((line) => line.split('|').map((cell) => cell.trim()));

describe('what happens when', () => {
  it('is a table', () => {
    expect(rows.length).toBeGreaterThan(10);
    for (const row of rows) expect(row).toHaveLength(7);
  });

  it.each(rows.map((row) => [row[1] ?? '', row[5] ?? '']))('%s: the test is there', (_when, test) => {
    const [file = '', title = ''] = test.split(' › ');
    const url = new URL(file, root);
    expect(existsSync(url)).toBe(true);
    expect(title).not.toBe('');
    expect(readFileSync(url, 'utf8')).toContain(`'${title}'`);
  });
});
