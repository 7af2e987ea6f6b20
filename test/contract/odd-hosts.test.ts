import { readFile, writeFile } from 'node:fs/promises';
import { expect, it, onTestFinished } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { holdNamespace } from '../support/holder.ts';
import { ip, outcomeOf, run } from '../support/run.ts';
import { standIn } from '../support/stand-in.ts';
import { addOutside, isUnanswered, outsideAddress, ping } from '../support/traffic.ts';
import { type ContractLab, describeBackends, describeLayouts, describeOtherLayouts } from './fixture.ts';
import { hostLinks } from './oracles.ts';

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
    await expect.poll(() => linksOf('br0'), { timeout: 30_000 }).toHaveLength(1);
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
  const rename = async () => {
    const link = (await hostLinks()).find(({ ifalias }) => ifalias?.includes(' vm-1 '))?.ifname ?? '';
    await ip('link', 'set', link, 'down');
    await ip('link', 'set', link, 'name', 'renamed0', 'up');
    return link;
  };

  it('is named by check, and has its name again by repair', async () => {
    const manager = await lab.open();
    const net = await manager.setup('vm-1');
    await manager.setup('vm-2');
    const before = await canonicalDump();
    const link = await rename();
    const { differences } = await manager.check('vm-1');
    expect(differences).toContainEqual({
      ...{ subject: 'link', message: `${link} was renamed to renamed0` },
    });
    expect(await manager.check('vm-2')).toEqual(isWhole);
    const { ok, repaired } = await manager.repair('vm-1');
    expect({ ok, repaired }).toMatchObject({ ok: true });
    expect(repaired).toContainEqual(expect.objectContaining({ vmId: 'vm-1', subject: 'link' }));
    expect(await manager.check('vm-1')).toEqual(isWhole);
    await expectUnchanged(before);
    expect(await ping(await standIn(net), net.gatewayIp ?? '')).toBe(true);
  });

  it('has its name again with all else that has been changed', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    const before = await canonicalDump();
    await rename();
    await ip('link', 'set', 'renamed0', 'mtu', '1300');
    if (lab.isBridged) await ip('link', 'set', 'renamed0', 'nomaster');
    else await ip('link', 'set', 'renamed0', 'group', '7', 'down');
    expect((await manager.repair()).failed).toEqual([]);
    expect(await manager.check('vm-1')).toEqual(isWhole);
    await expectUnchanged(before);
  });

  it('stays renamed, and is named, where its name has been taken', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    const link = await rename();
    await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'other0');
    const { ok, failed } = await manager.repair('vm-1');
    expect({ ok, failed }).toMatchObject({
      ok: false,
      failed: expect.arrayContaining([
        expect.objectContaining({
          ...{ vmId: 'vm-1', subject: 'link' },
          error: expect.objectContaining({ message: expect.stringContaining(`has the name ${link}`) }),
        }),
      ]),
    });
    await ip('link', 'delete', link);
    expect((await manager.repair('vm-1')).ok).toBe(true);
    expect(await manager.check('vm-1')).toEqual(isWhole);
  });

  it('is cut off, and goes, with its VM', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    await manager.setup('vm-1');
    const holder = await holdNamespace('vulcan-vm-1');
    await rename();
    await manager.teardown('vm-1');
    // By itself, as the namespace is held.
    const left = await outcomeOf('ip', ['link', 'show', 'renamed0']);
    expect(left.stderr).toContain('does not exist');
    await holder[Symbol.asyncDispose]();
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

describeLayouts('a host that forwards by some links alone', (lab) => {
  it('forwards what guests send, and verify tells of the link that answers come in on', async () => {
    const set = (link: string) => writeFile(`/proc/sys/net/ipv4/conf/${link}/forwarding`, '0');
    await addOutside();
    await ip('route', 'add', 'default', 'via', outsideAddress);
    await set('default');
    const manager = await lab.open();
    const net = await manager.setup('vm-1');
    await set('fcbr0');
    expect((await manager.check('vm-1')).differences.map(({ subject }) => subject)).toEqual(['forwarding']);
    expect((await manager.repair('vm-1')).ok).toBe(true);
    const found = async () => (await manager.verify()).findings.filter(({ id }) => id === 'forwarding');
    expect(await found()).toEqual([]);
    const guest = await standIn(net);
    expect(await ping(guest, outsideAddress)).toBe(true);
    await set('out0');
    expect(await isUnanswered(guest, outsideAddress)).toBe(true);
    const [uplink] = await found();
    expect(uplink?.message).toContain('answers to guests do not come in');
    await run('sh', ['-c', /^sysctl -w \S+/.exec(uplink?.remedy ?? '')?.[0] ?? '']);
    expect(await ping(guest, outsideAddress)).toBe(true);
    expect(await found()).toEqual([]);
  });
});

const ignoring = 'a host that answers ARP for some addresses alone';
const leastUnanswered = { bridge: 8, bridges: 2, routed: 1 };

function testIgnoring(lab: ContractLab): void {
  it('is told by verify where guests find no gateway, and there alone', async () => {
    const ignore = (link: 'all' | 'default', value: number) =>
      writeFile(`/proc/sys/net/ipv4/conf/${link}/arp_ignore`, `${value}`);
    onTestFinished(async () => {
      for (const link of ['all', 'default'] as const) await ignore(link, 0);
    });
    await ignore('default', 1);
    const manager = await lab.open();
    const net = await manager.setup('vm-1');
    const [guest, gateway] = [await standIn(net), net.gatewayIp ?? ''];
    const found = async () => (await manager.verify()).findings.filter(({ id }) => id === 'arp.unanswered');
    await ignore('all', leastUnanswered[lab.layout]);
    expect(await isUnanswered(guest, gateway)).toBe(true);
    expect(await found()).toMatchObject([
      { severity: 'warning', remedy: expect.stringContaining('sysctl -w net/ipv4/conf/all/arp_ignore=0') },
    ]);
    await ignore('all', 0);
    expect(await ping(guest, gateway)).toBe(true);
    expect(await found()).toEqual([]);
  });
}

describeBackends(ignoring, testIgnoring, ['native']);
describeOtherLayouts(ignoring, testIgnoring);
