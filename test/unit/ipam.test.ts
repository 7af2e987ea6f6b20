import { describe, expect, it } from 'vitest';
import { isNetworkError } from '../../lib/errors.ts';
import { addressRequests, type RangeDescription, rangeSets } from '../../lib/ipam.ts';

const setsOf = (...sets: readonly (readonly RangeDescription[])[]) => rangeSets(sets, 'test.conflist');

describe('rangeSets', () => {
  it('has all addresses of a subnet but network, broadcast and gateway', () => {
    expect(setsOf([{ subnet: '10.1.0.0/24' }])).toEqual([
      {
        index: 0,
        ranges: [{ start: '10.1.0.1', end: '10.1.0.254', gateway: '10.1.0.1', prefixLength: 24 }],
      },
    ]);
    expect(setsOf([{ subnet: 'fd00::/120', gateway: 'fd00::9' }])).toMatchObject([
      { ranges: [{ start: 'fd00::1', end: 'fd00::ff', gateway: 'fd00::9' }] },
    ]);
  });

  it('numbers the sets, and keeps the order of their ranges', () => {
    const sets = setsOf(
      [
        { subnet: '10.1.0.0/24', rangeStart: '10.1.0.40', rangeEnd: '10.1.0.50' },
        { subnet: '10.1.0.0/24', rangeStart: '10.1.0.20', rangeEnd: '10.1.0.30' },
      ],
      [{ subnet: 'fd00::/64' }],
    );
    expect(sets.map(({ index }) => index)).toEqual([0, 1]);
    expect(sets[0]?.ranges.map(({ start }) => start)).toEqual(['10.1.0.40', '10.1.0.20']);
  });

  it.each<readonly [string, readonly (readonly RangeDescription[])[], RegExp]>([
    ['no set', [], /no ranges/],
    ['an empty set', [[]], /no ranges/],
    ['no subnet', [[{ subnet: '' }]], /is not CIDR/],
    ['host bits', [[{ subnet: '10.1.0.1/24' }]], /host bits/],
    ['no room', [[{ subnet: '10.1.0.0/31' }]], /no room/],
    ['a start outside', [[{ subnet: '10.1.0.0/24', rangeStart: '10.2.0.1' }]], /rangeStart 10\.2\.0\.1/],
    ['the broadcast as end', [[{ subnet: '10.1.0.0/24', rangeEnd: '10.1.0.255' }]], /rangeEnd 10\.1\.0\.255/],
    ['a gateway outside', [[{ subnet: '10.1.0.0/24', gateway: '10.2.0.1' }]], /gateway 10\.2\.0\.1/],
    [
      'an end before its start',
      [[{ subnet: '10.1.0.0/24', rangeStart: '10.1.0.9', rangeEnd: '10.1.0.8' }]],
      /comes after/,
    ],
    ['two families in a set', [[{ subnet: '10.1.0.0/24' }, { subnet: 'fd00::/64' }]], /mixes/],
    ['an address twice', [[{ subnet: '10.1.0.0/16' }], [{ subnet: '10.1.5.0/24' }]], /overlap/],
  ])('refuses %s', (_title, sets, says) => {
    const refusal = () => setsOf(...sets);
    expect(refusal).toThrow(says);
    try {
      refusal();
    } catch (error) {
      expect(isNetworkError(error, 'ERR_CONFLIST_INVALID')).toBe(true);
    }
  });
});

describe('addressRequests', () => {
  const sets = setsOf([{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00::/64' }]);

  it('asks each set for an address, and for the one that is wished for where it has it', () => {
    expect(addressRequests(sets, []).map(({ address }) => address)).toEqual([undefined, undefined]);
    expect(addressRequests(sets, ['fd00::7']).map(({ address }) => address)).toEqual([undefined, 'fd00::7']);
  });

  it.each(['10.2.0.7', '10.1.0.1', '10.1.0.255', 'nonsense'])('refuses %s, which no set has', (wish) => {
    expect(() => addressRequests(sets, [wish])).toThrow(/none that the network has/);
  });
});
