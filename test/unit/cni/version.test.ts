import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  atLeast,
  compareVersions,
  currentVersion,
  negotiateVersion,
  parseVersion,
} from '../../../lib/cni/version.ts';

describe('parseVersion', () => {
  it.each([
    ['', [0, 1, 0]],
    ['1', [1, 0, 0]],
    ['1.1', [1, 1, 0]],
    ['0.3.1', [0, 3, 1]],
    ['01.002.3', [1, 2, 3]],
  ])('reads %j', (text, parts) => {
    expect(parseVersion(text)).toEqual(parts);
  });

  it.each([
    '1.0.0.0',
    'v1',
    '1.',
    '.1',
    '1..0',
    '1.0.0-rc1',
    ' 1.0.0',
    '-1.0.0',
    '1.0.0\n',
    '0x1',
    '9'.repeat(20),
  ])('refuses %j', (text) => {
    expect(parseVersion(text)).toBeNull();
  });

  it('reads back every triple, and never throws', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), (...parts) => {
        expect(parseVersion(parts.join('.'))).toEqual(parts);
      }),
    );
    fc.assert(fc.property(fc.string(), (text) => [null, 3].includes(parseVersion(text)?.length ?? null)));
  });
});

describe('compareVersions', () => {
  it('compares by number, not by text', () => {
    expect(compareVersions('0.10.0', '0.9.9')).toBeGreaterThan(0);
    expect(compareVersions('1', '1.0.0')).toBe(0);
    expect(compareVersions('', '0.1.0')).toBe(0);
    expect(atLeast('0.3.1', '0.4.0')).toBe(false);
  });

  it('is a total order that puts first what is no version', () => {
    const version = fc.oneof(
      fc.string(),
      fc.tuple(fc.nat(3), fc.nat(3), fc.nat(3)).map((parts) => parts.join('.')),
    );
    fc.assert(
      fc.property(version, version, (a, b) => {
        expect(Math.sign(compareVersions(a, b)) + Math.sign(compareVersions(b, a))).toBe(0);
      }),
    );
    expect(compareVersions('nonsense', '0.1.0')).toBeLessThan(0);
  });
});

describe('negotiateVersion', () => {
  it.each([
    ['takes the highest that this runtime knows', '0.4.0', ['0.3.1', '1.0.0', '1.1.0', '1.2.0'], '1.1.0'],
    ['counts cniVersion among them', '1.1.0', ['0.3.1', '1.0.0'], '1.1.0'],
    ['skips a cniVersion from the future', '2.0.0', ['0.4.0'], '0.4.0'],
    ['keeps cniVersion where nothing is left', '2.0.0', ['1.2.0', '3.0.0'], '2.0.0'],
    ['keeps cniVersion where no list is given, even from the future', '9.9.9', null, '9.9.9'],
    ['does without cniVersion', '', ['1.0.0', '0.4.0'], '1.0.0'],
    ['keeps an absent version absent', '', null, ''],
    ['keeps an absent version absent for an empty list', '', [], ''],
  ])('%s', (_title, cniVersion, cniVersions, expected) => {
    expect(negotiateVersion(cniVersion, cniVersions)).toBe(expected);
  });

  it('never chooses what this runtime does not know, if it can', () => {
    const version = fc.tuple(fc.nat(2), fc.nat(3), fc.nat(1)).map((parts) => parts.join('.'));
    fc.assert(
      fc.property(version, fc.array(version), (cniVersion, cniVersions) => {
        const chosen = negotiateVersion(cniVersion, cniVersions);
        const known = [...cniVersions, cniVersion].filter((one) => atLeast(currentVersion, one));
        if (known.length === 0) expect(chosen).toBe(cniVersion);
        else expect(known.every((one) => atLeast(chosen, one)) && known.includes(chosen)).toBe(true);
      }),
    );
  });
});
