import { describe, expect, it } from 'vitest';
import {
  firecrackerInterface,
  firecrackerNetworkOverrides,
  kernelIpArgument,
} from '../../lib/firecracker.ts';
import type { NetworkConfig } from '../../lib/types.ts';

const net: NetworkConfig = {
  origin: 'cold',
  vmId: 'vm-1',
  network: 'fcnet',
  backend: 'cni',
  containerId: 'vm-1',
  ifName: 'eth0',
  tapName: 'tap0',
  mac: '02:00:00:00:00:01',
  netnsPath: '/var/run/netns/vulcan-vm-1',
  mtu: 1400,
  addresses: [
    { family: 6, ip: 'fd00::2', prefixLength: 64, gateway: 'fd00::1' },
    { family: 4, ip: '10.168.0.2', prefixLength: 20, gateway: '10.168.0.1' },
  ],
  guestIp: '10.168.0.2',
  gatewayIp: '10.168.0.1',
  prefixLength: 20,
  routes: [{ destination: '0.0.0.0/0', gateway: null }],
  dns: { nameservers: ['fd00::53', '1.1.1.1', '9.9.9.9', '8.8.8.8'], domain: null, search: [], options: [] },
  result: {},
};

describe('firecrackerInterface', () => {
  it('names the TAP and the MAC, and leaves the MTU out unless asked', () => {
    expect(firecrackerInterface(net)).toEqual({
      iface_id: 'eth0',
      guest_mac: '02:00:00:00:00:01',
      host_dev_name: 'tap0',
    });
    // As an option may be written that is not given.
    expect(firecrackerInterface(net, { ifaceId: undefined, mtu: undefined })).toEqual(
      firecrackerInterface(net),
    );
    expect(firecrackerInterface(net, { ifaceId: 'net1', mtu: true })).toMatchObject({
      iface_id: 'net1',
      mtu: 1400,
    });
  });
});

describe('firecrackerNetworkOverrides', () => {
  it('puts the interface of a snapshot on this TAP', () => {
    expect(firecrackerNetworkOverrides(net)).toEqual([{ iface_id: 'eth0', host_dev_name: 'tap0' }]);
  });
});

describe('kernelIpArgument', () => {
  it('takes the IPv4 address and at most two IPv4 name servers', () => {
    expect(kernelIpArgument(net)).toBe('ip=10.168.0.2::10.168.0.1:255.255.240.0::eth0:off:1.1.1.1:9.9.9.9');
  });

  it.each([
    [8, '255.0.0.0'],
    [25, '255.255.255.128'],
    [30, '255.255.255.252'],
    [32, '255.255.255.255'],
  ])('writes the mask of /%i as %s', (prefixLength, mask) => {
    const addresses = [{ family: 4, ip: '10.0.0.2', prefixLength, gateway: null }] as const;
    expect(kernelIpArgument({ ...net, addresses })).toContain(`ip=10.0.0.2:::${mask}:`);
  });

  it('takes a host name and an interface of the guest', () => {
    expect(kernelIpArgument(net, { hostname: undefined, guestInterface: undefined })).toBe(
      kernelIpArgument(net),
    );
    const argument = kernelIpArgument(net, { hostname: 'web', guestInterface: '' });
    expect(argument).toContain(':web::off:');
  });

  it.each(['a:b', 'a b', 'a\tb', 'a\n', 'a\0', 'a"b'])('refuses %j for either', (value) => {
    for (const name of ['hostname', 'guestInterface']) {
      expect(() => kernelIpArgument(net, { [name]: value })).toThrow(
        expect.objectContaining({ code: 'ERR_OPTION_INVALID', message: expect.stringContaining(name) }),
      );
    }
  });

  it('refuses a VM without IPv4', () => {
    const addresses = net.addresses.filter(({ family }) => family === 6);
    expect(() => kernelIpArgument({ ...net, addresses })).toThrow(
      expect.objectContaining({ code: 'ERR_NO_IPV4' }),
    );
  });
});
