import { describe, expect, it } from 'vitest';
import { NetworkError } from '../../lib/errors.ts';
import { type FirewallPolicy, firewallError, firewallNetwork } from '../../lib/firewall.ts';
import type { NativeError } from '../../lib/native/error.ts';

const policy: FirewallPolicy = {
  network: 'fcnet',
  bridges: ['fcbr0'],
  subnets: [{ subnet: '10.168.0.0/24', gateway: '10.168.0.1' }],
  masquerade: true,
  isolated: false,
  allowLinkLocal: false,
  hostAccess: [],
};

describe('firewallNetwork()', () => {
  it('is strict unless the configuration says otherwise', () => {
    expect(firewallNetwork(policy)).toEqual({
      network: 'fcnet',
      bridges: ['fcbr0'],
      subnets: ['10.168.0.0/24'],
      gateways: ['10.168.0.1'],
      masquerade: true,
      allowLinkLocal: false,
      ipv6: false,
      isolated: false,
      hostAccess: [],
    });
  });

  it('lets guests speak IPv6 when one of the subnets is of it', () => {
    const subnets = [...policy.subnets, { subnet: 'fd00:1::/64', gateway: 'fd00:1::1' }];
    const { ipv6, gateways } = firewallNetwork({ ...policy, subnets });
    expect(ipv6).toBe(true);
    expect(gateways).toEqual(['10.168.0.1', 'fd00:1::1']);
  });

  it('has no gateway where the subnet has none', () => {
    const subnets = [{ subnet: '10.168.0.0/24', gateway: null }];
    expect(firewallNetwork({ ...policy, subnets }).gateways).toEqual([]);
  });

  it('numbers protocols as the kernel does', () => {
    const hostAccess = [
      { protocol: 'tcp', port: 80 },
      { protocol: 'udp', port: 53 },
    ] as const;
    expect(firewallNetwork({ ...policy, hostAccess }).hostAccess).toEqual([
      { protocol: 6, port: 80 },
      { protocol: 17, port: 53 },
    ]);
  });

  it("passes hostAccess 'all' on", () => {
    expect(firewallNetwork({ ...policy, hostAccess: 'all' }).hostAccess).toBe('all');
  });
});

describe('firewallError()', () => {
  const nativeError = (fields: Partial<NativeError>): NativeError =>
    Object.assign(new Error('refused'), {
      code: 'EINVAL',
      errno: -22,
      syscall: 'NFT_MSG_NEWRULE',
      ...fields,
    });

  it.each([
    [{ code: 'EEXIST', reason: 'network-conflict', path: 'fcbr0' }, 'ERR_BRIDGE_CONFLICT'],
    [{ code: 'EEXIST', reason: 'network-conflict', path: '10.168.0.0/24' }, 'ERR_SUBNET_CONFLICT'],
    [{ code: 'EPERM' }, 'ERR_PERMISSION'],
    [{ code: 'EACCES' }, 'ERR_PERMISSION'],
    [{ code: 'EEXIST', reason: 'foreign' }, 'ERR_FIREWALL'],
    [{ code: 'EOPNOTSUPP' }, 'ERR_FIREWALL'],
  ] as const)('of %o is %s', (fields, code) => {
    expect(firewallError('fcnet', nativeError(fields)).code).toBe(code);
  });

  it('keeps what the kernel said', () => {
    const cause = nativeError({ kernelMessage: 'no such chain' });
    const error = firewallError('fcnet', cause);
    expect(error).toBeInstanceOf(NetworkError);
    expect(error).toMatchObject({
      network: 'fcnet',
      step: 'firewall',
      errno: -22,
      syscall: 'NFT_MSG_NEWRULE',
      kernelMessage: 'no such chain',
      cause,
    });
    expect(error.message).toContain('fcnet');
  });
});
