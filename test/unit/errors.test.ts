import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AbortError, errorTable, isNetworkError, NetworkError } from '../../lib/errors.ts';
import { assertedCodes } from '../support/asserted-codes.ts';

const root = new URL('../..', import.meta.url).pathname;
const codes = Object.keys(errorTable);

function sources(directory: string, suffix: string): readonly string[] {
  return readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(suffix))
    .map((name) => readFileSync(join(root, directory, name), 'utf8'));
}

describe('the table of errors', () => {
  const asserted = new Set(sources('test', '.test.ts').flatMap((text) => [...assertedCodes(text)]));
  const raised = sources('lib', '.ts')
    .filter((text) => !text.includes('export const errorTable'))
    .join('\n');

  it.each(codes)('%s: a test raises it', (code) => {
    expect([...asserted]).toContain(code);
  });

  it.each(codes)('%s: something raises it', (code) => {
    expect(raised).toContain(`'${code}'`);
  });

  it.each(Object.entries(errorTable))('%s: says when, and what to do', (code, { when, remedy }) => {
    expect(when.length).toBeGreaterThan(20);
    expect(remedy.length).toBeGreaterThan(10);
    expect(new NetworkError(code as keyof typeof errorTable, 'm').remedy).toBe(remedy);
  });
});

describe('what counts as a test of a code', () => {
  it.each([
    ['an assertion', "it('a', () => expect(work()).rejects.toMatchObject({ code: 'ERR_A' }));"],
    ['the helper', "it('a', () => expectRefusal(work, 'ERR_A', 'no'));"],
    ['a table', "it.each([['x', 'ERR_A']])('a', (_x, code) => expectRefusal(work, code, 'no'));"],
    [
      'a table that stands apart, made of another',
      "const some = [['ERR_A']]; const rows = some.flatMap((row) => row); it.each(rows)('a', (code) => expect(w()).toMatchObject({ code }));",
    ],
  ])('%s does', (_title, source) => {
    expect([...assertedCodes(source)]).toEqual(['ERR_A']);
  });

  it.each([
    ['a comment', "it('a', () => expect(work()).toBe(1)); // toMatchObject({ code: 'ERR_A' })"],
    ['a title', "it('ERR_A', () => expect(work()).toBe(1));"],
    ['a constant that nobody asserts', "const code = 'ERR_A'; it('a', () => expect(1).toBe(1));"],
    ['a table that nobody asserts', "it.each(['ERR_A'])('a', (code) => work(code));"],
    ['a test that is skipped', "it.skip('a', () => expectRefusal(work, 'ERR_A', 'no'));"],
    [
      'all codes by name',
      "it.each(Object.keys(errorTable))('a', (code) => expectRefusal(work, code, 'no'));",
    ],
  ])('%s does not', (_title, source) => {
    expect([...assertedCodes(source)]).toEqual([]);
  });
});

describe('a NetworkError', () => {
  const error = new NetworkError('ERR_KERNEL', 'no', { errno: -1, syscall: 'open', cause: new Error('why') });

  it('is known by its brand, whichever copy of the package it comes of', () => {
    expect(isNetworkError(error)).toBe(true);
    expect(isNetworkError(error, 'ERR_KERNEL')).toBe(true);
    expect(isNetworkError(error, 'ERR_CLOSED')).toBe(false);
    const other = Object.assign(new Error('no'), { [Symbol.for('vulcan-net.NetworkError')]: true });
    expect(isNetworkError(other)).toBe(true);
    expect(isNetworkError(new Error('ERR_KERNEL'))).toBe(false);
  });

  it('with more fields is the same error', () => {
    const more = error.with({ operation: 'setup', vmId: 'vm-1', rolledBack: true });
    expect(more).toMatchObject({ code: 'ERR_KERNEL', errno: -1, operation: 'setup', rolledBack: true });
    expect(more.cause).toBe(error.cause);
    expect(more.stack).toBe(error.stack);
  });

  it('prints all it knows as JSON', () => {
    expect(JSON.parse(JSON.stringify(error.with({ vmId: 'vm-1' })))).toEqual({
      ...{ name: 'NetworkError', code: 'ERR_KERNEL', message: 'no', errno: -1, syscall: 'open' },
      ...{ vmId: 'vm-1', cause: { name: 'Error', message: 'why' } },
    });
  });
});

it('an AbortError prints all it knows as JSON, too', () => {
  const about = { operation: 'setup', vmId: 'vm-1', network: 'n', step: 'attach', cause: 'enough' } as const;
  const message = 'The operation was aborted: setup vm-1, at step attach';
  expect(JSON.parse(JSON.stringify(new AbortError(false, about)))).toEqual({
    ...{ name: 'AbortError', code: 'ABORT_ERR', message, rolledBack: false, ...about },
  });
  expect(new AbortError(true).message).toBe('The operation was aborted');
});
