import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeResult, resultObject, resultText } from '../../../lib/cni/result.ts';
import type { AnyResult } from '../../../lib/cni/types.ts';
import { anyResult } from './arbitraries.ts';
import { golden } from './fakes.ts';

function decoded(value: unknown, configVersion = '1.0.0'): AnyResult {
  const result = decodeResult(value, configVersion);
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}

function problemOf(value: unknown, configVersion = '1.0.0'): string | null {
  const result = decodeResult(value, configVersion);
  return result.ok ? null : result.problem;
}

describe('the results that the real plugins gave', () => {
  it.each(['versions/0.3.0', 'versions/0.3.1', 'versions/0.4.0', 'versions/1.0.0', 'versions/1.1.0'])(
    '%s.json is printed as it was read, to the byte',
    (name) => {
      const text = golden(`${name}.json`);
      expect(JSON.stringify(resultObject(decoded(JSON.parse(text))), null, 4)).toBe(text);
    },
  );

  it.each(['basic', 'full', 'mac', 'v6only', 'masq-nft'])('%s/add-result.json too', (name) => {
    const text = golden(`${name}/add-result.json`);
    expect(JSON.stringify(resultObject(decoded(JSON.parse(text))), null, 4)).toBe(text);
  });
});

describe('decodeResult', () => {
  it('gives a result without a version that of the configuration', () => {
    expect(decoded({}, '0.4.0').cniVersion).toBe('0.4.0');
    expect(decoded({ cniVersion: '' }, '1.1.0').cniVersion).toBe('1.1.0');
    expect(decoded(null, '').cniVersion).toBe('0.1.0');
  });

  it('keeps a version that is not the configuration’s', () => {
    expect(decoded({ cniVersion: '0.4.0' }, '1.1.0').cniVersion).toBe('0.4.0');
  });

  it('drops keys that the version does not have', () => {
    const result = { interfaces: [{ name: 'eth0', mtu: 1400, colour: 'red' }], ips: [], colour: 'red' };
    expect(resultText(decoded({ ...result, cniVersion: '1.1.0' }))).toBe(
      '{"cniVersion":"1.1.0","interfaces":[{"mtu":1400,"name":"eth0"}]}',
    );
    expect(resultText(decoded({ ...result, cniVersion: '0.4.0' }))).toBe(
      '{"cniVersion":"0.4.0","interfaces":[{"name":"eth0"}],"dns":{}}',
    );
  });

  it('takes keys in any case and null for absent, as Go does', () => {
    const result = { CNIVersion: '1.0.0', IPs: [{ Address: '10.0.0.5/8', gateway: null }], dns: null };
    expect(resultText(decoded({ ...result, cniVersion: '1.0.0' }))).toBe(
      '{"cniVersion":"1.0.0","ips":[{"address":"10.0.0.5/8"}]}',
    );
  });

  it('prints addresses canonically', () => {
    const result = {
      ips: [{ address: 'FD00:0::5/64', gateway: '::ffff:10.0.0.1' }],
      routes: [{ dst: '0::/0' }],
    };
    expect(resultText(decoded(result))).toBe(
      '{"cniVersion":"1.0.0","ips":[{"address":"fd00::5/64","gateway":"10.0.0.1"}],"routes":[{"dst":"::/0"}]}',
    );
  });

  it('keeps a table and a scope of 0, and leaves out other zeros', () => {
    const route = { dst: '10.0.0.0/8', mtu: 0, advmss: 0, priority: 0, table: 0, scope: 0 };
    expect(resultText(decoded({ routes: [route] }))).toBe(
      '{"cniVersion":"1.0.0","routes":[{"dst":"10.0.0.0/8","scope":0,"table":0}]}',
    );
  });

  it('reads the formats of 0.1.0 and 0.2.0', () => {
    const text =
      '{"cniVersion":"0.2.0","ip4":{"ip":"10.0.0.2/24","gateway":"10.0.0.1","routes":[{"dst":"0.0.0.0/0","mtu":1300}]},"dns":{}}';
    expect(resultText(decoded(JSON.parse(text)))).toBe(text);
  });

  it.each([
    ['not an object', [], 'not an object'],
    ['a number', 3, 'not an object'],
    ['a version from the future', { cniVersion: '1.2.0' }, /^cniVersion: unknown version 1\.2\.0/],
    ['an address without a prefix', { ips: [{ address: '10.0.0.2' }] }, 'ips[0].address: not CIDR'],
    ['no address', { ips: [{}] }, /^ips\[0\]\.address: /],
    [
      'a gateway that is none',
      { ips: [{ address: '10.0.0.2/8', gateway: 'x' }] },
      'ips[0].gateway: not an address',
    ],
    ['an index that is text', { ips: [{ address: '10.0.0.2/8', interface: '0' }] }, /^ips\[0\]\.interface: /],
    ['interfaces that are none', { interfaces: {} }, /^interfaces: /],
    ['a name that is a number', { interfaces: [{ name: 1 }] }, /^interfaces\[0\]\.name: /],
    ['a route to nowhere', { routes: [{ gw: '10.0.0.1' }] }, /^routes\[0\]\.dst: /],
    ['a fraction', { routes: [{ dst: '::/0', mtu: 1.5 }] }, /^routes\[0\]\.mtu: /],
  ])('refuses %s', (_title, value, problem) => {
    expect(problemOf(value)).toMatch(problem);
  });

  it('never throws, whatever a plugin prints', () => {
    const version = fc.constantFrom('', '0.1.0', '0.3.1', '1.1.0', 'x');
    fc.assert(
      fc.property(fc.jsonValue(), version, (value, configVersion) => {
        decodeResult(value, configVersion);
      }),
    );
    const partly = fc.record(
      {
        cniVersion: version,
        interfaces: fc.jsonValue(),
        ips: fc.jsonValue(),
        dns: fc.jsonValue(),
        ip4: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(partly, (value) => {
        decodeResult(value, '1.0.0');
      }),
    );
  });

  it('reads back what it prints, in every version', () => {
    fc.assert(
      fc.property(anyResult, (result) => {
        expect(decoded(resultObject(result))).toEqual(result);
      }),
    );
  });
});
