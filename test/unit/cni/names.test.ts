import { describe, expect, it } from 'vitest';
import { assertContainerId, assertIfName, isValidName, recordName } from '../../../lib/cni/names.ts';

describe('names', () => {
  it.each(['a', 'A.b_c-d', '0', 'x'.repeat(300)])('takes %s', (name) => {
    expect(isValidName(name)).toBe(true);
    expect(() => assertContainerId(name)).not.toThrow();
  });

  it.each(['', '-x', '.', '..', '_a', 'a/b', 'a b', 'a\n', 'a\0', 'ä'])('refuses %j', (name) => {
    expect(isValidName(name)).toBe(false);
    expect(() => assertContainerId(name)).toThrowError(
      expect.objectContaining({ code: 'ERR_OPTION_INVALID' }),
    );
  });

  it.each(['eth0', 'a', 'äääääää', '123456789012345', 'a.b'])('takes the interface name %s', (name) => {
    expect(() => assertIfName(name)).not.toThrow();
  });

  it.each([
    '',
    '.',
    '..',
    '1234567890123456',
    'ääääääää',
    'a/b',
    'a:b',
    'a b',
    'a\t',
    'a\u0085',
    'a\u3000',
    'a\0',
  ])('refuses the interface name %j', (name) => {
    expect(() => assertIfName(name)).toThrowError(expect.objectContaining({ code: 'ERR_LINK_NAME_INVALID' }));
  });

  it('names records by libcni’s ambiguous rule', () => {
    const name = recordName({ network: 'a-b', containerId: 'c', ifName: 'eth0' });
    expect(name).toBe('a-b-c-eth0');
    expect(recordName({ network: 'a', containerId: 'b-c', ifName: 'eth0' })).toBe(name);
  });
});
