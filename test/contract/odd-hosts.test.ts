import { readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { ip, outcomeOf, run } from '../support/run.ts';
import { describeBackends, describeLayouts } from './fixture.ts';

const isWhole = { ok: true, differences: [] };
const linksOf = async (master: string) =>
  (await ip('-o', 'link', 'show', 'master', master)).split('\n').filter((line) => line !== '');

describeBackends('a bridge that was there before', (lab) => {
  it('keeps what it has when the network opens, and stays when it goes', async () => {
    await ip('link', 'add', 'br0', 'type', 'bridge');
    await ip('link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up1');
    await ip('link', 'set', 'up0', 'master', 'br0', 'up');
    await ip('link', 'set', 'br0', 'up', 'mtu', '1400');
    for (const address of ['192.168.1.5/24', '2001:db8::5/64'])
      await ip('addr', 'add', address, 'dev', 'br0');
    const options = { bridge: 'br0', subnet: '192.168.1.0/24', gateway: '192.168.1.5' } as const;
    const manager = await lab.open({
      ...options,
      mtu: 1300,
      ranges: [{ start: '192.168.1.100', end: '192.168.1.120' }],
    });
    await manager.setup('vm-1');
    expect(await manager.check('vm-1')).toEqual(isWhole);
    await manager.teardown('vm-1', { wait: true });
    await manager.removeNetwork();
    expect(await linksOf('br0')).toHaveLength(1);
    const addresses = await ip('-o', 'addr', 'show', 'dev', 'br0');
    expect(addresses).toContain('192.168.1.5/24');
    expect(addresses).toContain('2001:db8::5/64');
    expect(await readFile('/sys/class/net/br0/mtu', 'utf8')).toBe('1400\n');
  });
});

describeLayouts('an uplink with an MTU below that of IPv6', (lab) => {
  it('is no obstacle to VMs', async () => {
    const manager = await lab.open({ mtu: 1200 });
    const { mtu } = await manager.setup('vm-1');
    expect(mtu).toBe(1200);
    expect(await manager.check('vm-1')).toEqual(isWhole);
  });
});

describeLayouts('a link of the host that somebody renamed', (lab) => {
  it('is cut off, and goes, with its VM', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    await manager.setup('vm-1');
    const holder = await run('sh', ['-c', 'ip netns exec vulcan-vm-1 sleep 600 >/dev/null 2>&1 & echo $!']);
    const links = JSON.parse(await ip('-j', 'link')) as { readonly ifname: string }[];
    const link =
      links.find(({ ifname }) => ifname.startsWith('vn') || ifname.startsWith('veth'))?.ifname ?? '';
    await ip('link', 'set', link, 'down');
    await ip('link', 'set', link, 'name', 'renamed0', 'up');
    await manager.teardown('vm-1');
    const left = await outcomeOf('ip', ['-d', 'link', 'show', 'renamed0']);
    expect(left.exitCode === 0 ? left.stdout : 'state disabled').toMatch(/state (disabled|DOWN)/);
    await run('kill', [holder.trim()]);
    await expectUnchanged(before);
  });
});

describeBackends('a host whose way out was advertised to it', (lab) => {
  it('keeps it when a network of IPv6 opens', async () => {
    await ip('link', 'add', 'up0', 'type', 'veth', 'peer', 'name', 'up1');
    for (const link of ['up0', 'up1']) await ip('link', 'set', link, 'up');
    await writeFile('/proc/sys/net/ipv6/conf/up0/accept_ra', '1');
    await ip('-6', 'route', 'add', 'default', 'via', 'fe80::1', 'dev', 'up0', 'proto', 'ra');
    await lab.open({ subnet: 'fd00:7::/64' });
    expect(await readFile('/proc/sys/net/ipv6/conf/up0/accept_ra', 'utf8')).toBe('2\n');
  });
});
