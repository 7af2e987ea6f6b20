import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Address,
  bitsOf,
  type Cidr,
  contains,
  formatAddress,
  formatCidr,
  hostRange,
  isNetwork,
  parseAddress,
  parseCidr,
  subnetRange,
} from '../../lib/address.ts';

const family = fc.constantFrom(4 as const, 6 as const);
const address: fc.Arbitrary<Address> = family.chain((one) =>
  fc.bigInt({ min: 0n, max: (1n << BigInt(bitsOf(one))) - 1n }).map((value) => ({ family: one, value })),
);
/** Addresses with many zeros, where `::` matters. */
const sparse: fc.Arbitrary<Address> = fc
  .array(fc.constantFrom(0, 0, 0, 1, 0xffff), { minLength: 8, maxLength: 8 })
  .map((groups) => ({
    family: 6,
    value: groups.reduce((value, group) => (value << 16n) | BigInt(group), 0n),
  }));
const cidr: fc.Arbitrary<Cidr> = address.chain((one) =>
  fc.nat({ max: bitsOf(one.family) }).map((prefixLength) => ({ address: one, prefixLength })),
);

function parsed(text: string): Address {
  const result = parseAddress(text);
  if (result === null) throw new Error(`${text} is no address`);
  return result;
}

function parsedCidr(text: string): Cidr {
  const result = parseCidr(text);
  if (result === null) throw new Error(`${text} is not CIDR`);
  return result;
}

describe('parseAddress and formatAddress', () => {
  it('are inverse', () => {
    fc.assert(
      fc.property(fc.oneof(address, sparse), (one) => {
        expect(parseAddress(formatAddress(one))).toEqual(one);
      }),
    );
  });

  it('accept what node:net accepts, but for zones', () => {
    const text = fc.oneof(fc.ipV4(), fc.ipV4Extended(), fc.ipV6(), fc.string(), address.map(formatAddress));
    fc.assert(
      fc.property(text, (one) => {
        expect(parseAddress(one)?.family ?? 0).toBe(one.includes('%') ? 0 : isIP(one));
      }),
    );
  });

  it('print IPv6 as URLs do', () => {
    const notMapped = sparse.filter(({ value }) => value >> 32n !== 0xffffn);
    fc.assert(
      fc.property(notMapped, (one) => {
        const text = formatAddress(one);
        expect(new URL(`http://[${text}]/`).hostname).toBe(`[${text}]`);
      }),
    );
  });

  it.each([
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['fd78:0:0:1::', 'fd78:0:0:1::'],
    ['::ffff:10.1.2.3', '::ffff:10.1.2.3'],
    ['::FFFF:0a01:0203', '::ffff:10.1.2.3'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
  ])('print %s canonically', (text, canonical) => {
    expect(formatAddress(parsed(text))).toBe(canonical);
  });

  it.each([
    '',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    'fe80::1%eth0',
    ':::',
    '1::2::3',
    ' 10.0.0.1',
    '10.0.0.1/24',
  ])('refuse %j', (text) => {
    expect(parseAddress(text)).toBeNull();
  });
});

describe('parseCidr', () => {
  it('is the inverse of formatCidr', () => {
    fc.assert(
      fc.property(cidr, (one) => {
        expect(parseCidr(formatCidr(one))).toEqual(one);
      }),
    );
  });

  it.each([
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0.0/08',
    '10.0.0.0/',
    '::/129',
    '10.0.0.0/24/8',
    '/24',
  ])('refuses %j', (text) => {
    expect(parseCidr(text)).toBeNull();
  });
});

describe('subnets', () => {
  it('contain what BlockList says they contain', () => {
    const pair = cidr.chain((subnet) =>
      fc
        .bigInt({ min: 0n, max: (1n << BigInt(bitsOf(subnet.address.family))) - 1n })
        .map((value) => ({ subnet, other: { family: subnet.address.family, value } })),
    );
    fc.assert(
      fc.property(pair, ({ subnet, other }) => {
        const name = subnet.address.family === 4 ? 'ipv4' : 'ipv6';
        const list = new BlockList();
        list.addSubnet(formatAddress(subnet.address), subnet.prefixLength, name);
        expect(contains(subnet, other)).toBe(list.check(formatAddress(other), name));
        expect(contains(subnet, subnet.address)).toBe(true);
      }),
    );
  });

  it('contain no address of the other family', () => {
    expect(contains(parsedCidr('::/0'), parsed('10.0.0.1'))).toBe(false);
  });

  it('begin with the address that has no host bits, and end with the one that has all', () => {
    fc.assert(
      fc.property(cidr, (subnet) => {
        const { first, last } = subnetRange(subnet);
        expect(isNetwork({ address: first, prefixLength: subnet.prefixLength })).toBe(true);
        expect(last.value - first.value + 1n).toBe(
          1n << BigInt(bitsOf(subnet.address.family) - subnet.prefixLength),
        );
      }),
    );
  });

  it.each([
    ['10.168.0.0/24', '10.168.0.1', '10.168.0.254'],
    ['10.168.0.0/30', '10.168.0.1', '10.168.0.2'],
    ['fd78::/120', 'fd78::1', 'fd78::ff'],
    ['fd78::/126', 'fd78::1', 'fd78::3'],
  ])('%s has hosts from %s to %s', (text, first, last) => {
    const range = hostRange(parsedCidr(text));
    expect(range && [formatAddress(range.first), formatAddress(range.last)]).toEqual([first, last]);
  });

  it.each(['10.168.0.0/31', '10.168.0.0/32', 'fd78::/127'])('%s has no room for two hosts', (text) => {
    expect(hostRange(parsedCidr(text))).toBeNull();
  });
});
