import { expect, it } from 'vitest';
import { networkFacts } from '../../../../lib/backends/network/facts.ts';
import { parseConfList } from '../../../../lib/cni/conflist.ts';

const factsOf = (...plugins: readonly object[]) =>
  networkFacts(parseConfList(JSON.stringify({ cniVersion: '1.0.0', name: 'n', plugins }), 'test'));

it('knows the bridge, and the gateway that host-local would choose', () => {
  const ipam = { type: 'host-local', subnet: '10.1.0.0/24' };
  expect(factsOf({ type: 'bridge', bridge: 'br0', isGateway: true, ipam })).toEqual({
    bridges: ['br0'],
    subnets: [{ subnet: '10.1.0.0/24', gateway: '10.1.0.1' }],
    isolated: false,
  });
});

it('knows every range of a dual stack, and the gateways that are named', () => {
  const ranges = [[{ subnet: '10.1.0.0/24', gateway: '10.1.0.254' }], [{ subnet: 'fd78::/64' }]];
  expect(factsOf({ type: 'bridge', isDefaultGateway: true, ipam: { type: 'host-local', ranges } })).toEqual({
    bridges: ['cni0'],
    subnets: [
      { subnet: '10.1.0.0/24', gateway: '10.1.0.254' },
      { subnet: 'fd78::/64', gateway: 'fd78::1' },
    ],
    isolated: false,
  });
});

it('the host has no address where the bridge is no gateway', () => {
  const ipam = { type: 'host-local', subnet: '10.1.0.0/24' };
  expect(factsOf({ type: 'bridge', ipam }).subnets).toEqual([{ subnet: '10.1.0.0/24', gateway: null }]);
});

it('two ranges of one subnet are one subnet', () => {
  const set = [
    { subnet: '10.1.0.0/24', rangeStart: '10.1.0.10', rangeEnd: '10.1.0.20' },
    { subnet: '10.1.0.0/24', rangeStart: '10.1.0.30', rangeEnd: '10.1.0.40' },
  ];
  expect(factsOf({ type: 'bridge', ipam: { type: 'host-local', ranges: [set] } }).subnets).toHaveLength(1);
});

it('guests are kept from each other where the ports of the bridge are', () => {
  expect(factsOf({ type: 'bridge', portIsolation: true }).isolated).toBe(true);
});

it('a chain without a bridge has links of a group, and a ptp plugin makes the host their gateway', () => {
  const ipam = { type: 'host-local', subnet: '10.1.0.0/24' };
  expect(factsOf({ type: 'ptp', ipam }, { type: 'tc-redirect-tap' })).toEqual({
    bridges: [],
    linkGroup: expect.any(Number),
    subnets: [{ subnet: '10.1.0.0/24', gateway: '10.1.0.1' }],
    isolated: false,
  });
});
