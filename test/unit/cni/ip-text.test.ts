import { describe, expect, it } from 'vitest';
import { canonicalCidr, canonicalIp } from '../../../lib/cni/ip-text.ts';

describe('canonicalIp', () => {
  it.each([
    ['10.0.0.1', '10.0.0.1'],
    ['FD78:0:0:0::FE', 'fd78::fe'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['::ffff:10.0.0.1', '10.0.0.1'],
    ['::ffff:a00:1', '10.0.0.1'],
    ['::', '::'],
  ])('prints %s as %s', (text, expected) => {
    expect(canonicalIp(text)).toBe(expected);
  });

  it.each(['', '10.0.0', '10.0.0.01', '10.0.0.1/24', 'fe80::1%eth0', 'eth0', '1.2.3.4.5'])(
    'refuses %j',
    (text) => {
      expect(canonicalIp(text)).toBeNull();
    },
  );
});

describe('canonicalCidr', () => {
  it.each([
    ['10.1.0.5/16', '10.1.0.5/16'],
    ['FD78:3:0::2/64', 'fd78:3::2/64'],
    ['::ffff:10.0.0.1/120', '10.0.0.1/24'],
    ['::ffff:10.0.0.1/64', '10.0.0.1/0'],
    ['0.0.0.0/0', '0.0.0.0/0'],
  ])('prints %s as %s', (text, expected) => {
    expect(canonicalCidr(text)).toBe(expected);
  });

  it.each(['', '10.0.0.1', '10.0.0.1/33', '::1/129', '10.0.0.1/-1', '10.0.0.1/+8', '/24', '10.0.0.1/24/24'])(
    'refuses %j',
    (text) => {
      expect(canonicalCidr(text)).toBeNull();
    },
  );
});
