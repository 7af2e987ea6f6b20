import fc from 'fast-check';
import { canonicalCidr, canonicalIp } from '../../../lib/cni/ip-text.ts';
import type { AnyResult, LegacyResult, Result } from '../../../lib/cni/types.ts';

/** Results of every version, as plugins may give them. */

const canonical = (parse: (text: string) => string | null) => (text: string) => parse(text) ?? text;

const ip4 = fc.ipV4();
const ip6 = fc
  .ipV6()
  .map(canonical(canonicalIp))
  .filter((ip) => ip.includes(':'));
const cidr4 = fc.tuple(ip4, fc.nat(32)).map((parts) => parts.join('/'));
const cidr6 = fc
  .tuple(ip6, fc.nat(128))
  .map((parts) => parts.join('/'))
  .map(canonical(canonicalCidr));
const ip = fc.oneof(ip4, ip6);
const cidr = fc.oneof(cidr4, cidr6);
const text = fc.string();
const number = fc.nat();

const dns = fc.record({
  nameservers: fc.array(text),
  domain: text,
  search: fc.array(text),
  options: fc.array(text),
});

const route = (dst: fc.Arbitrary<string>) =>
  fc.record({
    dst,
    gw: fc.option(ip),
    mtu: number,
    advmss: number,
    priority: number,
    table: fc.option(number),
    scope: fc.option(number),
  });

const oldInterface = fc
  .record({ name: text, mac: text, sandbox: text })
  .map((value) => ({ ...value, mtu: 0, socketPath: '', pciId: '' }));

const newInterface = fc.record({
  name: text,
  mac: text,
  mtu: number,
  sandbox: text,
  socketPath: text,
  pciId: text,
});

const address = { interface: fc.option(number), gateway: fc.option(ip) };
const oldIp = fc.oneof(
  fc.record({ ...address, address: cidr4, version: fc.constant('4') }),
  fc.record({ ...address, address: cidr6, version: fc.constant('6') }),
);
const newIp = fc.record({ ...address, address: cidr, version: fc.constant('') });

export const oldVersion = fc.constantFrom('0.3.0', '0.3.1', '0.4.0');
export const newVersion = fc.constantFrom('1.0.0', '1.1.0');
export const legacyVersion = fc.constantFrom('0.1.0', '0.2.0');
export const anyVersion = fc.oneof(oldVersion, newVersion, legacyVersion);

export const oldResult: fc.Arbitrary<Result> = fc.record({
  cniVersion: oldVersion,
  interfaces: fc.array(oldInterface),
  ips: fc.array(oldIp),
  routes: fc.array(route(cidr)),
  dns,
});

export const newResult: fc.Arbitrary<Result> = fc.record({
  cniVersion: newVersion,
  interfaces: fc.array(newInterface),
  ips: fc.array(newIp),
  routes: fc.array(route(cidr)),
  dns,
});

const legacyIp = (ofFamily: fc.Arbitrary<string>) =>
  fc.option(fc.record({ ip: ofFamily, gateway: fc.option(ip), routes: fc.array(route(ofFamily)) }));

export const legacyResult: fc.Arbitrary<LegacyResult> = fc.record({
  cniVersion: legacyVersion,
  ip4: legacyIp(cidr4),
  ip6: legacyIp(cidr6),
  dns,
});

export const anyResult: fc.Arbitrary<AnyResult> = fc.oneof(oldResult, newResult, legacyResult);
