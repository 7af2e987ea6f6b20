import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAnyConf, parseConfList, parsePlugin, parseSingleConf } from '../../../lib/cni/conflist.ts';
import { isNetworkError } from '../../../lib/errors.ts';
import { golden } from './fakes.ts';

const valid = { cniVersion: '1.0.0', name: 'net', plugins: [{ type: 'bridge' }] };
const parse = (value: unknown) => parseConfList(JSON.stringify(value), '/conf/net.conflist');
const parseWith = (change: object) => parse({ ...valid, ...change });
const refuses = (change: object, code: string, message: RegExp) =>
  expect(() => parseWith(change)).toThrowError(
    expect.objectContaining({ code, path: '/conf/net.conflist', message: expect.stringMatching(message) }),
  );

describe('conflist structure', () => {
  it.each(['basic', 'full', 'mac', 'v6only', 'masq-nft'])('reads the recorded %s', (folder) => {
    const text = golden(`${folder}/${folder}.conflist`);
    const list = parseConfList(text, folder);
    expect(list.plugins.map(({ type }) => type)).toEqual(['bridge', 'tc-redirect-tap']);
    expect(list.plugins[0]?.ipamType).toBe('host-local');
    expect(list.text).toBe(text);
  });

  it('tells capabilities that are declared true', () => {
    const { plugins } = parse({
      ...valid,
      plugins: [{ type: 'bridge', name: 'own', capabilities: { mac: true, ips: false } }],
    });
    expect(plugins).toEqual([
      {
        ...{ type: 'bridge', name: 'own', capabilities: ['mac'], ipamType: '' },
        raw: { type: 'bridge', name: 'own', capabilities: { mac: true, ips: false } },
      },
    ]);
  });

  it('takes a plugin’s own keys in any case, and the list’s to the letter', () => {
    expect(parseWith({ plugins: [{ Type: 'bridge' }] }).plugins[0]?.type).toBe('bridge');
    expect(() => parse({ ...valid, name: undefined, Name: 'net' })).toThrowError(/name/);
  });

  it('keeps keys that it does not know', () => {
    const list = parseWith({ anything: { at: 'all' }, plugins: [{ type: 'x', more: [1] }] });
    expect(list.plugins[0]?.raw).toEqual({ type: 'x', more: [1] });
  });

  it.each([
    [true, true],
    ['true', true],
    ['TRUE', true],
    ['False', false],
    [false, false],
    [undefined, false],
  ])('reads disableCheck %j as %j', (spelled, expected) => {
    const list = parseWith({ disableCheck: spelled, disableGC: spelled, loadOnlyInlinedPlugins: spelled });
    expect([list.disableCheck, list.disableGc, list.loadOnlyInlinedPlugins]).toEqual([
      expected,
      expected,
      expected,
    ]);
  });

  it('negotiates its version', () => {
    expect(parseWith({ cniVersions: ['0.4.0', '1.1.0', '1.2.0'] }).cniVersion).toBe('1.1.0');
    expect(parseWith({ cniVersion: undefined }).cniVersion).toBe('');
  });

  it('may leave its plugins to files of their own', () => {
    expect(parseWith({ plugins: undefined }).plugins).toEqual([]);
  });
});

describe('what a conflist must not be', () => {
  it('not JSON', () => {
    for (const text of ['', '{', '\ufeff{}', 'plugins: []']) {
      expect(() => parseConfList(text, 'x')).toThrowError(
        expect.objectContaining({ code: 'ERR_CONFLIST_PARSE' }),
      );
    }
  });

  it.each([
    ['without a name', { name: undefined }, /name/],
    ['with an empty name', { name: '' }, /name is empty/],
    ['with a name that leads elsewhere', { name: '../net' }, /invalid characters/],
    ['with a name that is no text', { name: 7 }, /name/],
    ['with plugins that are no list', { plugins: {} }, /plugins/],
    ['with no plugins in the list', { plugins: [] }, /plugins/],
    ['with a plugin without a type', { plugins: [{ type: 'a' }, {}] }, /plugins\[1\]\.type: missing/],
    ['with an empty type', { plugins: [{ type: '' }] }, /plugins\[0\]\.type: empty/],
    [
      'with capabilities that are no booleans',
      { plugins: [{ type: 'a', capabilities: { mac: 1 } }] },
      /plugins\[0\]\.capabilities\.mac/,
    ],
    ['with a disableCheck that is neither', { disableCheck: 'yes' }, /disableCheck/],
    ['with a number for a version', { cniVersion: 1 }, /cniVersion/],
    ['with a version that is none', { cniVersion: '1.x' }, /cniVersion/],
    ['with a version that is none among others', { cniVersions: ['1.0.0', '1.0.0.0'] }, /cniVersions/],
    [
      'with no plugins anywhere',
      { plugins: undefined, loadOnlyInlinedPlugins: true },
      /loadOnlyInlinedPlugins/,
    ],
  ])('%s', (_title, change, message) => {
    refuses(change, 'ERR_CONFLIST_INVALID', message);
  });

  it('naming a plugin with a slash', () => {
    refuses({ plugins: [{ type: '../sh' }] }, 'ERR_PLUGIN_NAME_INVALID', /plugins\[0\]\.type is "\.\.\/sh"/);
    refuses({ plugins: [{ type: 'a', ipam: { type: '/bin/sh' } }] }, 'ERR_PLUGIN_NAME_INVALID', /ipam\.type/);
  });

  it('in a version without a format', () => {
    refuses({ cniVersion: '1.2.0' }, 'ERR_VERSION_UNSUPPORTED', /"1\.2\.0" is none of/);
    refuses({ cniVersion: '0.5.0' }, 'ERR_VERSION_UNSUPPORTED', /"0\.5\.0"/);
  });
});

describe('a single configuration', () => {
  const single = { Name: 'old', cniVersion: '0.3.1', type: 'bridge', z: 1, a: '<' };

  it('becomes a list of one', () => {
    const list = parseSingleConf(JSON.stringify(single), 'x');
    expect(list).toMatchObject({
      name: 'old',
      cniVersion: '0.3.1',
      plugins: [{ type: 'bridge', raw: single }],
    });
    expect(list.text).toBe(
      '{"cniVersion":"0.3.1","name":"old","plugins":[{"Name":"old","a":"\\u003c","cniVersion":"0.3.1","type":"bridge","z":1}]}',
    );
    expect(parseConfList(list.text, 'x')).toEqual(list);
  });

  it('is told from a list by its content', () => {
    expect(parseAnyConf(JSON.stringify(single), 'x').name).toBe('old');
    expect(parseAnyConf(JSON.stringify(valid), 'x').name).toBe('net');
  });

  it('needs a name and a type', () => {
    expect(() => parseSingleConf('{"type":"bridge"}', 'x')).toThrowError(/name is empty/);
    expect(() => parsePlugin('{"name":"a"}', 'x')).toThrowError(/type: missing/);
    expect(() => parsePlugin('[]', 'x')).toThrowError(
      expect.objectContaining({ code: 'ERR_CONFLIST_INVALID' }),
    );
  });
});

describe('parsing never throws anything but a NetworkError', () => {
  const json = fc.jsonValue();
  const almost = fc.record(
    {
      name: fc.oneof(fc.constant('net'), json),
      cniVersion: fc.oneof(fc.constantFrom('1.0.0', '', '0.3.1'), json),
      cniVersions: fc.oneof(fc.array(fc.constantFrom('1.0.0', '2.0.0', 'x')), json),
      plugins: fc.oneof(
        fc.array(
          fc.record(
            { type: fc.oneof(fc.string(), json), capabilities: json, ipam: json, dns: json, name: json },
            { requiredKeys: ['type'] },
          ),
        ),
        json,
      ),
      disableCheck: json,
    },
    { requiredKeys: ['name', 'plugins'] },
  );

  it.each([
    ['text', fc.string()],
    ['JSON', fc.json()],
    ['what looks like a conflist', almost.map((value) => JSON.stringify(value))],
  ])('for %s', (_title, arbitrary) => {
    fc.assert(
      fc.property(arbitrary, (text) => {
        for (const parser of [parseConfList, parseSingleConf, parsePlugin, parseAnyConf]) {
          try {
            parser(text, 'x');
          } catch (error) {
            if (!isNetworkError(error)) throw error;
          }
        }
      }),
    );
  });
});
