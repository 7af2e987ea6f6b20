import { readFile, stat } from 'node:fs/promises';
import { beforeEach, expect, it } from 'vitest';
import { native } from '../support/native.ts';
import { describeWith } from '../support/require.ts';
import { ip, nft, tc } from '../support/run.ts';
import {
  anchorOf,
  attach,
  attachLab,
  attachPlan,
  bridge,
  gateway,
  hostLinkOf,
  inside,
  ipv4,
  ipv6,
  locksDir,
  macOf,
  recordOf,
  recordsDir,
  storeDir,
  untilForwarding,
} from './attach-lab.ts';

const vm = 'a7';

async function versionOf(name: string) {
  const { ino, mtimeMs } = await stat(`${recordsDir}/${recordOf(name)}`);
  return { inode: ino, modifiedMs: expect.closeTo(mtimeMs, 2) };
}

// biome-ignore lint/suspicious/noExplicitAny: what ip prints
const linkOf = async (text: Promise<string>): Promise<any> => JSON.parse(await text)[0];

describeWith(['tun'], 'attach', () => {
  beforeEach(attachLab);

  it('says which namespace and which addresses it made', async () => {
    const { netns, interfaces } = await native.attach(attachPlan(vm));
    const { ino, dev } = await stat(anchorOf(vm));
    expect(netns).toEqual({ inode: ino, device: dev });
    expect(interfaces).toEqual([
      {
        addresses: [{ ip: expect.stringMatching(/^10\.168\.0\.\d+$/), prefixLength: 24, gateway }],
        record: await versionOf(vm),
      },
    ]);
  });

  it('makes the host link a port of the bridge that says whose it is', async () => {
    await attach(vm);
    await untilForwarding(vm);
    expect(await linkOf(ip('-d', '-j', 'link', 'show', hostLinkOf(vm)))).toMatchObject({
      address: '02:00:00:00:00:07',
      ifalias: `vulcan-net web ${vm} eth0`,
      master: bridge,
      mtu: 1500,
      num_tx_queues: 1,
      num_rx_queues: 1,
      flags: expect.arrayContaining(['UP', 'LOWER_UP']),
      linkinfo: {
        info_kind: 'veth',
        info_slave_data: { state: 'forwarding', hairpin: false, isolated: false },
      },
    });
    expect(await native.sysctlRead({ key: `net/ipv6/conf/${hostLinkOf(vm)}/disable_ipv6` })).toBe('1');
    expect(JSON.parse(await ip('-j', 'address', 'show', 'dev', hostLinkOf(vm)))[0].addr_info).toEqual([]);
  });

  it('puts the address and the routes on the link inside', async () => {
    const [address] = await attach(vm);
    expect(await linkOf(inside(vm, 'ip', '-d', '-j', 'link', 'show', 'eth0'))).toMatchObject({
      address: macOf(vm),
      flags: expect.arrayContaining(['UP', 'LOWER_UP']),
      inet6_addr_gen_mode: 'none',
      num_tx_queues: 1,
      num_rx_queues: 1,
      mtu: 1500,
    });
    expect((await linkOf(inside(vm, 'ip', '-j', 'address', 'show', 'eth0'))).addr_info).toEqual([
      expect.objectContaining({
        local: address?.ip,
        prefixlen: 24,
        broadcast: '10.168.0.255',
        scope: 'global',
      }),
    ]);
    expect(JSON.parse(await inside(vm, 'ip', '-j', 'route'))).toEqual([
      expect.objectContaining({ dst: 'default', gateway, dev: 'eth0' }),
      expect.objectContaining({ dst: '10.168.0.0/24', dev: 'eth0', prefsrc: address?.ip }),
    ]);
  });

  it('ties a TAP of the owner to that link, both ways', async () => {
    await attach(vm);
    expect(await linkOf(inside(vm, 'ip', '-d', '-j', '-N', 'link', 'show', 'tap0'))).toMatchObject({
      flags: expect.arrayContaining(['UP']),
      inet6_addr_gen_mode: 'none',
      linkinfo: {
        info_kind: 'tun',
        info_data: {
          type: 'tap',
          pi: true,
          vnet_hdr: true,
          multi_queue: false,
          persist: true,
          user: 54_321,
          group: 54_322,
        },
      },
    });
    for (const [from, to] of [
      ['tap0', 'eth0'],
      ['eth0', 'tap0'],
    ] as const) {
      const filters = await inside(vm, 'tc', '-j', 'filter', 'show', 'dev', from, 'ingress');
      expect(
        JSON.parse(filters).flatMap(
          (filter: { options?: { actions?: unknown[] } }) => filter.options?.actions ?? [],
        ),
      ).toEqual([
        expect.objectContaining({
          kind: 'mirred',
          mirred_action: 'redirect',
          direction: 'egress',
          to_dev: to,
        }),
      ]);
    }
  });

  it('guards the port', async () => {
    const [address] = await attach(vm);
    const rules = await nft('list', 'table', 'bridge', 'vulcan');
    expect(rules).toContain(`"${hostLinkOf(vm)}" . ${macOf(vm)} . ${address?.ip} `);
    expect(await native.guardList({})).toEqual([
      { link: hostLinkOf(vm), bindings: [{ mac: macOf(vm), ip: address?.ip }] },
    ]);
  });

  it('writes the address, the claim and the record', async () => {
    const { netns, interfaces } = await native.attach(attachPlan(vm));
    const ip4 = interfaces[0]?.addresses[0]?.ip;
    expect(await readFile(`${storeDir}/${ip4}`, 'utf8')).toBe(`${vm}\r\neth0`);
    expect(await readFile(`${locksDir}/${vm}`, 'utf8')).toBe(`${netns.device}:${netns.inode}\n`);
    expect(await readFile(`${recordsDir}/${recordOf(vm)}`, 'utf8')).toBe(`{"ips":["${ip4}/24"]}`);
    expect((await stat(`${recordsDir}/${recordOf(vm)}`)).mode & 0o7777).toBe(0o600);
  });

  it('gives addresses of several range sets', async () => {
    const routes = [
      { destination: '0.0.0.0/0', gateway },
      { destination: '::/0', gateway: 'fd68::1' },
    ];
    const addresses = await attach(vm, { requests: [ipv4, ipv6], interface: { routes } });
    const [ip4 = '', ip6 = ''] = addresses.map((address) => address.ip);
    expect([ip4, ip6]).toEqual([expect.stringMatching(/^10\.168\.0\./), expect.stringMatching(/^fd68::/)]);
    const link = await linkOf(inside(vm, 'ip', '-j', 'address', 'show', 'eth0'));
    expect(link.addr_info).toEqual([
      expect.objectContaining({ local: ip4, prefixlen: 24 }),
      expect.objectContaining({ local: ip6, prefixlen: 64 }),
    ]);
    // No duplicate is looked for: the guest has the address, and not the namespace.
    expect(link.addr_info[1].tentative).toBeUndefined();
    expect(JSON.parse(await inside(vm, 'ip', '-6', '-j', 'route', 'show', 'default'))).toEqual([
      expect.objectContaining({ gateway: 'fd68::1', dev: 'eth0' }),
    ]);
    expect(await readFile(`${recordsDir}/${recordOf(vm)}`, 'utf8')).toBe(`{"ips":["${ip4}/24","${ip6}/64"]}`);
    expect(await nft('list', 'table', 'bridge', 'vulcan')).toContain(`${macOf(vm)} . ${ip6} `);
  });

  it('goes by the gateway of the range that the address comes from', async () => {
    const ranges = ['10.168.7', '10.168.8'].map((net) => ({
      ...{ start: `${net}.2`, end: `${net}.2`, gateway: `${net}.1`, prefixLength: 24 },
    }));
    const routes = [{ destination: '0.0.0.0/0', gateway: { gatewayOf: 0 } }];
    const record = { directory: recordsDir, text: [0, ' by ', { gatewayOf: 0 }] };
    for (const [each, net] of [
      [vm, '10.168.7'],
      ['a1', '10.168.8'],
    ] as const) {
      const interfaceChange = { routes, record: { ...record, name: recordOf(each) } };
      await attach(each, { requests: [{ ...ipv4, ranges }], interface: interfaceChange });
      expect(await readFile(`${recordsDir}/${recordOf(each)}`, 'utf8')).toBe(`${net}.2/24 by ${net}.1`);
      expect(await inside(each, 'ip', 'route', 'show', 'default')).toMatch(`default via ${net}.1 dev eth0`);
    }
  });

  it('refuses the gateway of a request that is not there, or whose ranges have none', async () => {
    const requests = [{ ...ipv4, ranges: ipv4.ranges.map((range) => ({ ...range, gateway: null })) }];
    const gateways = [{ gatewayOf: 1 }, { gatewayOf: 0 }, { gatewayOf: -1 }];
    for (const by of gateways) {
      const routes = [{ destination: '0.0.0.0/0', gateway: by }];
      const record = { directory: recordsDir, name: recordOf(vm), text: [by] };
      for (const change of [{ routes }, { routes: [], record }]) {
        await expect(attach(vm, { requests, interface: change })).rejects.toThrow(TypeError);
      }
    }
  });

  it('takes MTU and port options', async () => {
    const port = { bridge, hairpin: true, isolated: true };
    await attach(vm, { interface: { mtu: 1400, port } });
    expect(await linkOf(ip('-d', '-j', 'link', 'show', hostLinkOf(vm)))).toMatchObject({
      mtu: 1400,
      linkinfo: { info_slave_data: { hairpin: true, isolated: true } },
    });
    for (const link of ['eth0', 'tap0']) {
      expect(await linkOf(inside(vm, 'ip', '-j', 'link', 'show', link))).toMatchObject({ mtu: 1400 });
    }
  });

  it('leaves a port unguarded when told so', async () => {
    await attach(vm, { interface: { guard: null } });
    expect(await native.guardList({})).toEqual([]);
  });

  it('makes what is inside before the bridge can hear of it', async () => {
    const qdiscs = async () => (await inside(vm, 'tc', 'qdisc', 'show')).match(/ingress/g)?.length;
    await attach(vm);
    expect(await qdiscs()).toBe(2);
    expect(await tc('qdisc', 'show', 'dev', hostLinkOf(vm))).not.toContain('ingress');
    // Nothing has come from there.
    const [link] = JSON.parse(await ip('-s', '-j', 'link', 'show', hostLinkOf(vm)));
    expect(link.stats64.rx.packets).toBe(0);
  });

  it('makes many at once', async () => {
    const vms = Array.from({ length: 32 }, (_, index) => `a${index}`);
    const all = await Promise.all(vms.map((each) => attach(each)));
    expect(new Set(all.map(([address]) => address?.ip)).size).toBe(32);
    for (const each of vms) {
      expect(
        JSON.parse(await inside(each, 'ip', '-j', 'link')).map(({ ifname }: { ifname: string }) => ifname),
      ).toEqual(['lo', 'tap0', 'eth0']);
    }
  });
});
