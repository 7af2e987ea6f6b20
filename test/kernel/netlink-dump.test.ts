import { beforeEach, describe, expect, it } from 'vitest';
import type { Dump, DumpPlan } from '../../lib/native/netlink.ts';
import { addNamespace, netnsDir, resetLab, until } from '../support/lab.ts';
import { native } from '../support/native.ts';
import { requires } from '../support/require.ts';
import { ip, runIn } from '../support/run.ts';
import { Tools } from './netlink-tools.ts';

const kinds: DumpPlan['kinds'] = ['links', 'addresses', 'routes', 'qdiscs', 'filters'];

const sorted = (values: readonly object[]) => values.map((value) => JSON.stringify(value)).sort();

async function expectToolsAgree(netns: string | undefined, filtered: readonly string[]): Promise<Dump> {
  const dump = await native.dump({ kinds, ...(netns === undefined ? {} : { netns }) });
  const tools = new Tools(netns);
  const indexes = new Map(dump.links.map(({ name, index }) => [name, index]));
  expect(dump.links).toMatchObject(await tools.links());
  expect(sorted(dump.addresses)).toEqual(sorted(await tools.addresses()));
  expect(sorted(dump.routes)).toEqual(sorted(await tools.routes(indexes)));
  expect(sorted(dump.qdiscs)).toEqual(sorted(await tools.qdiscs(indexes)));
  const filters = await Promise.all(filtered.map((device) => tools.filters(device, indexes)));
  expect(sorted(dump.filters)).toEqual(sorted(filters.flat()));
  return dump;
}

/** A VM's: eth0 with both families, a TAP, and filters both ways. The other end of eth0 is a port of a bridge here. */
async function populate(): Promise<string> {
  const netns = await addNamespace('vm');
  const inside = (...args: string[]) => runIn(netns, 'ip', ...args);
  const tc = (...args: string[]) => runIn(netns, 'tc', ...args);
  await ip('link', 'add', 'br0', 'type', 'bridge');
  await ip('link', 'add', 'port0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'vm');
  await ip('link', 'set', 'port0', 'alias', 'somebody’s port', 'master', 'br0', 'up');
  await ip('link', 'set', 'port0', 'group', '1979711489');
  await ip('addr', 'add', '10.1.0.1/24', 'brd', '+', 'dev', 'br0');
  await ip('link', 'set', 'br0', 'up');
  await inside('tuntap', 'add', 'mode', 'tap', 'name', 'tap0', 'user', '1234', 'group', '4321');
  for (const address of ['10.1.0.2/24', 'fd01::2/64']) await inside('addr', 'add', address, 'dev', 'eth0');
  for (const device of ['eth0', 'tap0']) await inside('link', 'set', device, 'up');
  await inside('route', 'add', 'default', 'via', '10.1.0.1');
  await inside('-6', 'route', 'add', 'default', 'via', 'fd01::1', 'proto', 'static');
  for (const [from, to] of [
    ['eth0', 'tap0'],
    ['tap0', 'eth0'],
  ] as const) {
    await tc('qdisc', 'add', 'dev', from, 'ingress');
    const match = ['u32', 'match', 'u32', '0', '0'];
    const action = ['action', 'mirred', 'egress', 'redirect', 'dev', to];
    await tc('filter', 'add', 'dev', from, 'ingress', 'protocol', 'all', ...match, ...action);
  }
  const settled = async () => {
    const seen = `${await inside('addr')}${await ip('addr')}`;
    const areUp = ['br0', 'port0', 'eth0'].every((link) => new RegExp(` ${link}[@:].* state UP`).test(seen));
    return areUp && !seen.includes('tentative');
  };
  await until('addresses to settle', settled);
  return netns;
}

describe('dump', () => {
  beforeEach(async (context) => {
    requires(context, 'tun');
    await resetLab();
  });

  it('tells of this namespace what ip and tc tell', async () => {
    await populate();
    const { links } = await expectToolsAgree(undefined, []);
    const port = links.find(({ name }) => name === 'port0');
    const bridge = links.find(({ name }) => name === 'br0');
    expect(port).toMatchObject({
      master: bridge?.index,
      portState: 3,
      hairpin: false,
      guestPort: false,
      isolated: false,
      alias: 'somebody’s port',
      group: 1_979_711_489,
    });
  });

  it('tells of another namespace what ip and tc tell', async () => {
    const netns = await populate();
    const { links } = await expectToolsAgree(netns, ['eth0', 'tap0']);
    const { links: here } = await native.dump({ kinds: ['links'] });
    const eth0 = links.find(({ name }) => name === 'eth0');
    const port = here.find(({ name }) => name === 'port0');
    expect([eth0?.peer, port?.peer]).toEqual([port?.index, eth0?.index]);
  });

  it('reads only what it is asked for', async () => {
    const dump = await native.dump({ kinds: ['filters'], netns: await populate() });
    const counts = Object.entries(dump).map(([kind, { length }]) => [kind, length > 0]);
    expect(Object.fromEntries(counts)).toEqual({
      links: false,
      addresses: false,
      routes: false,
      qdiscs: false,
      filters: true,
    });
  });

  it('rejects what is no namespace', async () => {
    const kindsOfLinks = { kinds: ['links'] } as const;
    await expect(native.dump({ ...kindsOfLinks, netns: `${netnsDir}/nosuch` })).rejects.toMatchObject({
      code: 'ENOENT',
      path: `${netnsDir}/nosuch`,
    });
    await expect(native.dump({ ...kindsOfLinks, netns: '/etc/passwd' })).rejects.toMatchObject({
      reason: 'not-a-namespace',
    });
  });
});
