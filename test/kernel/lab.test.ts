import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { addNamespace, resetLab, until } from '../support/lab.ts';
import { ip, nft, runIn, tc } from '../support/run.ts';

describe('the canonical dump', () => {
  beforeEach(resetLab);

  async function buildNetwork(): Promise<string> {
    const netns = await addNamespace('vm');
    await ip('link', 'add', 'br0', 'type', 'bridge');
    await ip('link', 'add', 'veth0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'vm');
    await ip('link', 'set', 'veth0', 'master', 'br0', 'up', 'alias', 'someone');
    await ip('address', 'add', '10.0.0.1/24', 'dev', 'br0');
    await ip('link', 'set', 'br0', 'up');
    await runIn(netns, 'ip', 'link', 'set', 'eth0', 'up');
    await runIn(netns, 'ip', 'tuntap', 'add', 'tap0', 'mode', 'tap');
    await runIn(netns, 'tc', 'qdisc', 'add', 'dev', 'eth0', 'ingress');
    await runIn(
      netns,
      'tc',
      ...'filter add dev eth0 parent ffff: protocol all u32 match u32 0 0'.split(' '),
      ...'action mirred egress redirect dev tap0'.split(' '),
    );
    await nft(
      'add table inet t; add set inet t s { type ipv4_addr; }; add element inet t s { 10.0.0.9, 10.0.0.2 }',
    );
    await mkdir('/run/cni/networks/n', { recursive: true });
    await writeFile('/run/cni/networks/n/10.0.0.2', 'vm\r\neth0');
    // The kernel sees a carrier a little later.
    await until('the port', async () =>
      (await ip('-d', 'link', 'show', 'veth0')).includes('state forwarding'),
    );
    return netns;
  }

  it('shows links, ports, addresses, qdiscs, filters, rules, files and the inside of namespaces', async () => {
    await buildNetwork();
    const dump = await canonicalDump();
    expect(dump).toMatch(/^link veth0 veth .*alias="someone".*port of br0: .*state=forwarding/m);
    expect(dump).toMatch(/^address br0 10\.0\.0\.1\/24 global$/m);
    expect(dump).toMatch(/^route dev=br0 dst=10\.0\.0\.0\/24/m);
    expect(dump).toMatch(/^netns vm: qdisc eth0 ingress/m);
    expect(dump).toMatch(/^netns vm: filter eth0 u32 .*mirred_action=redirect.*to_dev=tap0/m);
    expect(dump).toMatch(/^nft .*"elem":\["10\.0\.0\.2","10\.0\.0\.9"\]/m);
    expect(dump).toMatch(/^file \/run\/cni\/networks\/n\/10\.0\.0\.2 0644 8 bytes/m);
  });

  it('is the same when the same is built again', async () => {
    await buildNetwork();
    const first = await canonicalDump();
    await resetLab();
    await buildNetwork();
    await expectUnchanged(first);
  });

  it.each([
    ['a link', () => ip('link', 'add', 'left', 'type', 'bridge')],
    ['an address', () => ip('address', 'add', '10.9.9.9/32', 'dev', 'lo')],
    ['a route', () => ip('route', 'add', 'unreachable', '10.8.0.0/16')],
    ['a qdisc', () => tc('qdisc', 'add', 'dev', 'lo', 'ingress')],
    ['a table', () => nft('add', 'table', 'inet', 'left')],
    ['a namespace', () => addNamespace('left')],
    ['a record', () => writeFile('/var/lib/cni/left', '')],
    ['a conflist', () => writeFile('/etc/cni/left', '')],
  ])('shows %s that was left behind', async (_name, leave) => {
    const before = await canonicalDump();
    await leave();
    expect(await canonicalDump()).not.toBe(before);
  });

  it('waits for a VM’s link that is cut off, until it has gone', async () => {
    const before = await canonicalDump();
    await ip('link', 'add', 'vn1', 'type', 'veth', 'peer', 'name', 'eth0');
    await ip('link', 'set', 'vn1', 'alias', 'vulcan-net fcnet vm-1 eth0');
    const going = sleep(500).then(() => ip('link', 'delete', 'vn1'));
    expect(await canonicalDump()).toBe(before);
    await going;
  });

  it('says what differs where the failure begins', async () => {
    const before = await canonicalDump();
    const other = before.replace(/^link lo .*$/m, 'link gone');
    await expect(expectUnchanged(other, { timeoutMs: 200 })).rejects.toThrow(
      /^ +- link gone +\+ link lo physical/,
    );
  });

  it('comes from a lab that is empty after a reset', async () => {
    await buildNetwork();
    await resetLab();
    expect(await canonicalDump()).not.toContain('br0');
    expect(await readdir('/run/netns')).toEqual([]);
  });
});
