import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatRecord, parseRecord } from '../../../lib/cni/record.ts';
import { decodeResult } from '../../../lib/cni/result.ts';
import type { CacheRecord } from '../../../lib/cni/types.ts';
import { anyResult } from './arbitraries.ts';
import { golden } from './fakes.ts';

const cnitoolId = 'cnitool-0a30e4aadb6e5e167d22';
const netns = '/run/netns/cnrns1';

function resultOf(path: string): CacheRecord['result'] {
  const result = decodeResult(JSON.parse(golden(path)), '1.0.0');
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}

function recordOf(network: string, config: string, result: string): CacheRecord {
  return {
    ...{ network, containerId: cnitoolId, ifName: 'eth0', netns, args: [], capabilityArgs: {} },
    ...{ config: golden(config), result: resultOf(result) },
  };
}

describe('the records that libcni wrote', () => {
  it.each([
    ['0.3.0', 'cnrv030'],
    ['0.3.1', 'cnrv031'],
    ['0.4.0', 'cnrv040'],
    ['1.0.0', 'cnrv100'],
    ['1.1.0', 'cnrv110'],
  ])('versions/%s.cache.json comes out of the plugins’ answers, to the byte', (version, network) => {
    const record = recordOf(network, `versions/net.d/${network}.conflist`, `versions/${version}.json`);
    expect(formatRecord(record)).toBe(golden(`versions/${version}.cache.json`));
  });

  it.each([
    ['basic', 'cnrbasic'],
    ['full', 'cnrfull'],
    ['v6only', 'cnrv6'],
    ['masq-nft', 'cnrmasqn'],
  ])('%s too', (folder, network) => {
    const record = recordOf(network, `${folder}/${folder}.conflist`, `${folder}/add-result.json`);
    const path = `${folder}/1-after-add/var-lib-cni/results/${network}-${cnitoolId}-eth0`;
    expect(formatRecord(record)).toBe(golden(path));
  });

  it('mac too, with its arguments', () => {
    const record: CacheRecord = {
      ...recordOf('cnrmac', 'mac/mac.conflist', 'mac/add-result.json'),
      args: [
        ['TC_REDIRECT_TAP_NAME', 'cnrtap0'],
        ['TC_REDIRECT_TAP_UID', '1234'],
        ['TC_REDIRECT_TAP_GID', '4321'],
        ['IgnoreUnknown', '1'],
      ],
      capabilityArgs: { mac: '02:00:00:00:78:01', ips: ['10.78.1.77/24'] },
    };
    const text = golden(`mac/1-after-add/var-lib-cni/results/cnrmac-${cnitoolId}-eth0`);
    expect(formatRecord(record)).toBe(text);
    expect(parseRecord(text, null)).toEqual({ ok: true, value: record });
  });
});

const key = { network: 'net', containerId: 'id', ifName: 'eth0' };
const config = Buffer.from('{}').toString('base64');
const minimal = { kind: 'cniCacheV1', containerId: 'id', config, ifName: 'eth0', networkName: 'net' };

describe('parseRecord', () => {
  it('takes what is left out for empty', () => {
    expect(parseRecord(JSON.stringify(minimal), null)).toEqual({
      ok: true,
      value: { ...key, config: '{}', netns: '', args: [], capabilityArgs: {}, result: null },
    });
  });

  it('reads a bare result from before cniCacheV1 as that of the attachment in its name', () => {
    const text = '{"cniVersion":"0.4.0","ips":[{"version":"4","address":"10.0.0.2/24"}],"dns":{}}';
    expect(parseRecord(text, key)).toMatchObject({
      ok: true,
      value: { ...key, config: '', result: { cniVersion: '0.4.0' } },
    });
    expect(parseRecord(text, null)).toMatchObject({ ok: false });
  });

  it('keeps all else where only the result makes no sense', () => {
    const text = JSON.stringify({ ...minimal, netns: '/ns', result: { cniVersion: '9.9.9' } });
    expect(parseRecord(text, null)).toMatchObject({ ok: true, value: { netns: '/ns', result: null } });
  });

  it.each([
    ['nothing', ''],
    ['a truncated file', JSON.stringify(minimal).slice(0, -9)],
    ['another kind', JSON.stringify({ ...minimal, kind: 'cniCacheV2' })],
    ['no name', JSON.stringify({ ...minimal, networkName: '' })],
    ['arguments that are no pairs', JSON.stringify({ ...minimal, cniArgs: [['K']] })],
    ['an array', '[]'],
    ['a result of no version', '{"cniVersion":"7"}'],
  ])('refuses %s', (_title, text) => {
    expect(parseRecord(text, key)).toMatchObject({ ok: false });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => parseRecord(text, key).ok !== undefined),
    );
  });

  it('reads back every record that it writes', () => {
    const name = fc.string({ minLength: 1 });
    const record = fc.record({
      ...{
        network: name,
        containerId: name,
        ifName: name,
        netns: fc.string(),
        config: fc.string({ unit: 'grapheme' }),
      },
      args: fc.array(fc.tuple(fc.string(), fc.string())),
      capabilityArgs: fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.array(fc.nat()))),
      result: fc.option(anyResult),
    });
    fc.assert(
      fc.property(record, (value) => {
        fc.pre(!Object.hasOwn(value.capabilityArgs, '__proto__'));
        expect(parseRecord(formatRecord(value), null)).toEqual({ ok: true, value });
      }),
    );
  });
});
