import { beforeEach, describe, expect, it } from 'vitest';
import { ResultCache } from '../../../lib/cni/cache.ts';
import type { CacheRecord } from '../../../lib/cni/types.ts';
import { FakeFiles, golden, systemError } from './fakes.ts';

const key = { network: 'a', containerId: 'b-c', ifName: 'eth0' };
const record: CacheRecord = {
  ...key,
  config: '{}',
  netns: '/ns',
  args: [],
  capabilityArgs: {},
  result: null,
};
const path = '/state/results/a-b-c-eth0';

let files: FakeFiles;
let cache: ResultCache;

beforeEach(() => {
  files = new FakeFiles();
  cache = new ResultCache(files, '/state');
});

describe('ResultCache', () => {
  it('keeps a record where libcni would, until it is removed', async () => {
    expect(await cache.read(key)).toBeNull();
    await cache.write(record);
    expect([...files.files.keys()]).toEqual([path]);
    expect(await cache.read(key)).toEqual(record);
    expect(await cache.remove(key)).toBe(true);
    expect(await cache.remove(key)).toBe(false);
    expect(await cache.read(key)).toBeNull();
  });

  it('replaces the attachment’s own record', async () => {
    await cache.write(record);
    await cache.write({ ...record, netns: '/other' });
    expect(await cache.read(key)).toMatchObject({ netns: '/other' });
  });

  it('refuses to read or write over a record of another attachment with the same file name', async () => {
    const other = { ...record, network: 'a-b', containerId: 'c' };
    await cache.write(other);
    const before = files.files.get(path);
    const mismatch = expect.objectContaining({ code: 'ERR_RECORD_MISMATCH', path });
    await expect(cache.read(key)).rejects.toEqual(mismatch);
    await expect(cache.write(record)).rejects.toEqual(mismatch);
    expect(files.files.get(path)).toBe(before);
  });

  it('says which record is corrupt, and writes a good one in its place', async () => {
    files.files.set(path, '{"kind":"cniCacheV1","cont');
    await expect(cache.read(key)).rejects.toMatchObject({ code: 'ERR_RECORD_CORRUPT', path });
    await cache.write(record);
    expect(await cache.read(key)).toEqual(record);
  });

  it('lists all records in order, those of others too, and what is none', async () => {
    await cache.write(record);
    await cache.write({ ...record, network: 'Z' });
    files.files.set('/state/results/junk', 'junk');
    files.files.set(
      '/state/results/cnrbasic',
      golden('basic/1-after-add/var-lib-cni/results/cnrbasic-cnitool-0a30e4aadb6e5e167d22-eth0'),
    );
    const { records, errors } = await cache.list();
    expect(records.map(({ network }) => network)).toEqual(['Z', 'a', 'cnrbasic']);
    expect(errors).toMatchObject([{ code: 'ERR_RECORD_CORRUPT', path: '/state/results/junk' }]);
  });

  it.each([
    ['ENOSPC', {}, 'ERR_RECORD_WRITE'],
    ['EROFS', {}, 'ERR_RECORD_WRITE'],
    ['EACCES', {}, 'ERR_PERMISSION'],
    ['EPERM', { reason: 'directory-unsafe' }, 'ERR_STATE_DIR_UNSAFE'],
  ])('tells %s %j on writing as %s', async (code, fields, expected) => {
    files.fail = (operation) => (operation === 'write' ? systemError(code, fields) : null);
    await expect(cache.write(record)).rejects.toMatchObject({ code: expected, path, cause: { code } });
  });

  it('tells a directory that others may write to from a corrupt record, when it reads and when it lists', async () => {
    files.fail = () => systemError('EPERM', { reason: 'directory-unsafe' });
    await expect(cache.read(key)).rejects.toMatchObject({ code: 'ERR_STATE_DIR_UNSAFE' });
    await expect(cache.list()).rejects.toMatchObject({ code: 'ERR_STATE_DIR_UNSAFE' });
    await expect(cache.remove(key)).rejects.toMatchObject({ code: 'ERR_STATE_DIR_UNSAFE' });
  });

  it('refuses names that no file can have, before anything is done', async () => {
    const long = { ...record, containerId: 'x'.repeat(250) };
    await expect(cache.write(long)).rejects.toMatchObject({ code: 'ERR_OPTION_INVALID' });
  });
});
