import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { convertResult, currentResult } from '../../../lib/cni/convert.ts';
import { decodeResult, resultObject, resultText } from '../../../lib/cni/result.ts';
import type { AnyResult } from '../../../lib/cni/types.ts';
import { isNetworkError } from '../../../lib/errors.ts';
import { anyResult, anyVersion, newResult, newVersion, oldResult, oldVersion } from './arbitraries.ts';
import { golden } from './fakes.ts';

function decoded(value: unknown): AnyResult {
  const result = decodeResult(value, '1.0.0');
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}

const dualStack = {
  cniVersion: '1.1.0',
  interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:01', mtu: 1400, sandbox: '/ns', pciID: '0000:00:01.0' }],
  ips: [
    { address: '10.0.0.2/24', gateway: '10.0.0.1', interface: 0 },
    { address: '10.0.1.2/24', interface: 0 },
    { address: 'fd00::2/64', gateway: 'fd00::1', interface: 0 },
  ],
  routes: [{ dst: '::/0', gw: 'fd00::1', mtu: 1300 }, { dst: '0.0.0.0/0' }],
  dns: { nameservers: ['1.1.1.1'] },
};

describe('convertResult', () => {
  it('between 1.0.0 and 1.1.0 changes the version alone', () => {
    const result = decoded(dualStack);
    expect(resultObject(convertResult(result, '1.0.0'))).toEqual({ ...dualStack, cniVersion: '1.0.0' });
  });

  it('down to 0.4.0 tells families and drops what 1.1.0 brought', () => {
    expect(resultObject(convertResult(decoded(dualStack), '0.4.0'))).toEqual({
      ...dualStack,
      cniVersion: '0.4.0',
      interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:01', sandbox: '/ns' }],
      ips: [
        { version: '4', address: '10.0.0.2/24', gateway: '10.0.0.1', interface: 0 },
        { version: '4', address: '10.0.1.2/24', interface: 0 },
        { version: '6', address: 'fd00::2/64', gateway: 'fd00::1', interface: 0 },
      ],
    });
  });

  it('down to 0.2.0 keeps the first address of each family, and of routes where and through what', () => {
    expect(resultObject(convertResult(decoded(dualStack), '0.2.0'))).toEqual({
      cniVersion: '0.2.0',
      ip4: { ip: '10.0.0.2/24', gateway: '10.0.0.1', routes: [{ dst: '0.0.0.0/0' }] },
      ip6: { ip: 'fd00::2/64', gateway: 'fd00::1', routes: [{ dst: '::/0', gw: 'fd00::1' }] },
      dns: { nameservers: ['1.1.1.1'] },
    });
  });

  it('up from 0.1.0 puts both families into one list', () => {
    const legacy = {
      cniVersion: '0.1.0',
      ip4: { ip: '10.0.0.2/24', routes: [{ dst: '0.0.0.0/0' }] },
      ip6: { ip: 'fd00::2/64' },
    };
    expect(resultObject(convertResult(decoded(legacy), '1.0.0'))).toEqual({
      cniVersion: '1.0.0',
      ips: [{ address: '10.0.0.2/24' }, { address: 'fd00::2/64' }],
      routes: [{ dst: '0.0.0.0/0' }],
    });
  });

  it('has no way to tell a result without addresses in 0.2.0', () => {
    const result = decoded({ cniVersion: '1.0.0', interfaces: [{ name: 'eth0' }] });
    expect(() => convertResult(result, '0.2.0')).toThrowError(
      expect.objectContaining({ code: 'ERR_VERSION_UNSUPPORTED' }),
    );
  });

  it('refuses versions that have no format', () => {
    expect(() => convertResult(decoded({}), '1.2.0')).toThrowError(
      expect.objectContaining({ code: 'ERR_VERSION_UNSUPPORTED' }),
    );
  });

  it('turns the recorded result of each version into that of each other', () => {
    const versions = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];
    /** The random parts of the recordings differ. */
    const comparable = (text: string) =>
      text.replaceAll(/veth[0-9a-f]{8}|([0-9a-f]{2}:){5}[0-9a-f]{2}/g, 'random');
    for (const from of versions) {
      const result = decoded(JSON.parse(golden(`versions/${from}.json`)));
      for (const to of versions) {
        const converted = JSON.stringify(resultObject(convertResult(result, to)), null, 4);
        expect(comparable(converted)).toBe(comparable(golden(`versions/${to}.json`)));
      }
    }
  });

  it('loses nothing from 0.3.0 on when it goes up and comes back', () => {
    fc.assert(
      fc.property(oldResult, newVersion, (result, version) => {
        expect(convertResult(convertResult(result, version), result.cniVersion)).toEqual(result);
      }),
    );
    fc.assert(
      fc.property(newResult, oldVersion, (result, version) => {
        const once = convertResult(result, version);
        expect(convertResult(convertResult(once, result.cniVersion), version)).toEqual(once);
      }),
    );
  });

  it('gives a result that its own version can be printed and read in, or a NetworkError', () => {
    fc.assert(
      fc.property(anyResult, anyVersion, (result, version) => {
        try {
          const converted = convertResult(result, version);
          expect(converted.cniVersion).toBe(version);
          expect(decoded(JSON.parse(resultText(converted)))).toEqual(converted);
        } catch (error) {
          if (!isNetworkError(error, 'ERR_VERSION_UNSUPPORTED')) throw error;
        }
      }),
    );
  });
});

describe('currentResult', () => {
  it('is of the newest version, whatever the plugin spoke', () => {
    fc.assert(
      fc.property(anyResult, (result) => {
        expect(currentResult(result).cniVersion).toBe('1.1.0');
      }),
    );
  });
});
