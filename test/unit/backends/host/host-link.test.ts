import { expect, it } from 'vitest';
import { HostLinks } from '../../../../lib/backends/host/host-link.ts';
import type { LinkInfo } from '../../../../lib/native/netlink.ts';

const port = {
  ...{ index: 7, name: 'vn0', kind: 'veth', mac: '02:00:00:00:00:07', mtu: 1500, alias: '', group: 0 },
  ...{ up: true, lowerUp: true, master: 3, peer: 2, portState: 3, dormant: false, rising: false },
  ...{ hairpin: false, isolated: false, guestPort: true, tapUid: -1, tapGid: -1 },
} satisfies LinkInfo;
const bridge = {
  ...port,
  index: 3,
  name: 'br0',
  kind: 'bridge',
  master: 0,
  portState: -1,
} satisfies LinkInfo;

it.each<[string, boolean, Partial<LinkInfo>, Partial<LinkInfo>]>([
  ['that forwards is not', false, {}, {}],
  ['that is down is', true, { up: false }, {}],
  ['that is dormant is', true, { dormant: true, portState: 0 }, {}],
  ['that is disabled is', true, { portState: 0 }, {}],
  ['whose carrier the kernel has yet to tell of is not', false, { portState: 0, rising: true }, {}],
  ['of a bridge that is down is not', false, { portState: 0 }, { up: false }],
])('a port %s cut', (_which, isCut, its, ofBridge) => {
  const link = { ...port, ...its };
  expect(new HostLinks([link, { ...bridge, ...ofBridge }]).isCut(link)).toBe(isCut);
});
