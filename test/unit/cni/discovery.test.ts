import { beforeEach, describe, expect, it } from 'vitest';
import { findConfList, loadConfList, withFolderPlugins } from '../../../lib/cni/discovery.ts';
import { FakeFiles, listOf, systemError } from './fakes.ts';

const conflist = (name: string, ...types: readonly string[]) =>
  JSON.stringify({ cniVersion: '1.0.0', name, plugins: types.map((type) => ({ type })) });

let files: FakeFiles;
const put = (path: string, text: string) => files.files.set(path, text);
const typesOf = ({ plugins }: { readonly plugins: readonly { readonly type: string }[] }) =>
  plugins.map(({ type }) => type);

beforeEach(() => {
  files = new FakeFiles();
});

describe('loadConfList', () => {
  it('appends the plugins of <directory>/<network>/*.conf, in order of name and of that extension only', async () => {
    put('/conf/net.conflist', conflist('net', 'bridge'));
    put('/conf/net/20-b.conf', '{"type":"second"}');
    put('/conf/net/10-a.conf', '{"type":"first"}');
    put('/conf/net/30-c.json', '{"type":"third"}');
    put('/conf/net/40-d.CONF', '{"type":"fourth"}');
    expect(typesOf(await loadConfList(files, '/conf/net.conflist'))).toEqual(['bridge', 'first', 'second']);
  });

  it('leaves them where the list wants none but its own', async () => {
    const list = { ...JSON.parse(conflist('net', 'bridge')), loadOnlyInlinedPlugins: true };
    put('/conf/net.conflist', JSON.stringify(list));
    put('/conf/net/10-a.conf', 'not even JSON');
    expect(typesOf(await loadConfList(files, '/conf/net.conflist'))).toEqual(['bridge']);
  });

  it('takes a list whose plugins are all in files of their own, and none without any', async () => {
    put('/conf/net.conflist', '{"name":"net","cniVersion":"1.0.0"}');
    await expect(loadConfList(files, '/conf/net.conflist')).rejects.toMatchObject({
      code: 'ERR_CONFLIST_INVALID',
    });
    put('/conf/net/10-a.conf', '{"type":"first"}');
    expect(typesOf(await loadConfList(files, '/conf/net.conflist'))).toEqual(['first']);
  });

  it('refuses a plugin file that is broken', async () => {
    put('/conf/net.conflist', conflist('net', 'bridge'));
    put('/conf/net/10-a.conf', '{}');
    const error = { code: 'ERR_CONFLIST_INVALID', path: '/conf/net/10-a.conf' };
    await expect(loadConfList(files, '/conf/net.conflist')).rejects.toMatchObject(error);
  });

  it.each([
    ['ENOENT', 'ERR_CONFLIST_NOT_FOUND'],
    ['EACCES', 'ERR_PERMISSION'],
    ['EFBIG', 'ERR_CONFLIST_INVALID'],
    ['EISDIR', 'ERR_CONFLIST_NOT_FOUND'],
  ])('tells %s as %s', async (code, expected) => {
    files.fail = () => systemError(code);
    const error = { code: expected, path: '/conf/net.conflist', cause: { code } };
    await expect(loadConfList(files, '/conf/net.conflist')).rejects.toMatchObject(error);
  });

  it('says what does not exist', async () => {
    const error = { code: 'ERR_CONFLIST_NOT_FOUND', path: '/conf/none' };
    await expect(loadConfList(files, '/conf/none')).rejects.toMatchObject(error);
  });
});

describe('findConfList', () => {
  it('takes the first file in order of name that has the network', async () => {
    put('/conf/20.conflist', conflist('net', 'second'));
    put('/conf/10.conflist', conflist('net', 'first'));
    put('/conf/00.conflist', conflist('other', 'x'));
    expect(typesOf(await findConfList(files, '/conf', 'net'))).toEqual(['first']);
  });

  it('prefers lists to single configurations, which it takes in both extensions', async () => {
    put('/conf/10.json', '{"name":"net","type":"json"}');
    expect(typesOf(await findConfList(files, '/conf', 'net'))).toEqual(['json']);
    put('/conf/05.conf', '{"name":"net","type":"conf"}');
    expect(typesOf(await findConfList(files, '/conf', 'net'))).toEqual(['conf']);
    put('/conf/99.conflist', conflist('net', 'list'));
    expect(typesOf(await findConfList(files, '/conf', 'net'))).toEqual(['list']);
  });

  it('goes past a broken file of another network', async () => {
    put('/conf/00.conflist', 'broken');
    put('/conf/10.conflist', conflist('net', 'bridge'));
    expect(typesOf(await findConfList(files, '/conf', 'net'))).toEqual(['bridge']);
  });

  it('gives the first broken file as the reason where nothing fits', async () => {
    put('/conf/00.conflist', 'broken');
    put('/conf/10.conflist', conflist('other', 'bridge'));
    const error = { code: 'ERR_CONFLIST_PARSE', path: '/conf/00.conflist' };
    await expect(findConfList(files, '/conf', 'net')).rejects.toMatchObject(error);
  });

  it('says where it looked', async () => {
    const error = { code: 'ERR_CONFLIST_NOT_FOUND', path: '/conf' };
    await expect(findConfList(files, '/conf', 'net')).rejects.toMatchObject(error);
    put('/conf/10.conflist', conflist('other', 'bridge'));
    await expect(findConfList(files, '/conf', 'net')).rejects.toMatchObject(error);
  });

  it('tells a directory that may not be read', async () => {
    files.fail = () => systemError('EACCES');
    await expect(findConfList(files, '/conf', 'net')).rejects.toMatchObject({
      code: 'ERR_PERMISSION',
      path: '/conf',
    });
  });
});

describe('withFolderPlugins', () => {
  it('completes a list that comes from a record', async () => {
    put('/conf/testnet/10-a.conf', '{"type":"first"}');
    expect(typesOf(await withFolderPlugins(files, '/conf', listOf('1.0.0', 'bridge')))).toEqual([
      'bridge',
      'first',
    ]);
  });
});
