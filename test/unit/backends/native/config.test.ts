import { describe, expect, it } from 'vitest';
import { configOf, type SampleConfig } from '../../../../lib/backends/native/config.ts';
import { nameSlots, placeholderOf } from '../../../../lib/backends/native/placeholders.ts';
import { slot, Template } from '../../../../lib/cni/template.ts';
import type { NetworkConfig } from '../../../../lib/types.ts';

const sample: SampleConfig = {
  config: {
    ...{ vmId: '', network: 'net', backend: 'native', origin: 'cold', containerId: '' },
    ...{ ifName: 'eth0', tapName: '', mac: '', netnsPath: '', mtu: 1500 },
    addresses: [
      { family: 6, ip: '::2', prefixLength: 0, gateway: null },
      { family: 4, ip: '0.0.0.1', prefixLength: 0, gateway: '0.0.0.1' },
    ],
    ...{ guestIp: '0.0.0.1', gatewayIp: '0.0.0.1', prefixLength: 0 },
    routes: [{ destination: '0.0.0.0/0', gateway: null }],
    dns: { nameservers: ['10.0.0.1'], domain: null, search: [], options: [] },
    result: {},
  },
  result: Template.of(
    JSON.stringify({ id: nameSlots.containerId, ip: slot('0'), by: slot('gateway 0') }),
    placeholderOf,
  ),
  ...{ requests: [1, 0], first: 0 },
};
const reserved = [
  { ip: '10.0.0.2', prefixLength: 24, gateway: '10.0.0.1' },
  { ip: 'fd00::2', prefixLength: 64, gateway: null },
];
const config = (vmId = 'vm') =>
  configOf(sample, { ...nameSlots, vmId, containerId: vmId, netns: `/run/${vmId}` }, reserved, 'warm');
const result = { id: 'vm', ip: '10.0.0.2/24', by: '10.0.0.1' };

/** All objects in it, and itself. */
function objectsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(objectsIn)];
}

describe('a configuration', () => {
  it('has the addresses of its requests, whatever their order', () => {
    expect(config().addresses).toEqual([
      { family: 6, ...reserved[1] },
      { family: 4, ...reserved[0] },
    ]);
    expect(config()).toMatchObject({ guestIp: '10.0.0.2', gatewayIp: '10.0.0.1', prefixLength: 24 });
  });

  it('is plain data, and its result a part of it', () => {
    const net = config();
    expect(Object.getPrototypeOf(net)).toBe(Object.prototype);
    expect(Object.keys(net)).toEqual(Object.keys(sample.config));
    expect(net.result).toEqual(result);
    expect(net.result).toBe(net.result);
    for (const copy of [{ ...config() }, structuredClone(config()), JSON.parse(JSON.stringify(config()))]) {
      expect(copy).toStrictEqual({ ...net });
      expect(Reflect.ownKeys(copy)).toEqual(Object.keys(net));
      expect(copy.result).toEqual(result);
    }
  });

  it('has its result when it is frozen, or stands behind another object', () => {
    const frozen: NetworkConfig = Object.freeze(config());
    expect(frozen.result).toEqual(result);
    expect(Object.create(config()).result).toEqual(result);
  });

  it('shares nothing with that of another VM', () => {
    const [one, other] = [config(), config()].map((net) => new Set(objectsIn(net)));
    expect([...(one ?? [])].filter((each) => other?.has(each))).toEqual([]);
    expect(objectsIn(config()).filter((each) => objectsIn(sample.config).includes(each))).toEqual([]);
    expect(reserved).toHaveLength(2);
    expect(config('other').result).toEqual({ ...result, id: 'other' });
  });
});
