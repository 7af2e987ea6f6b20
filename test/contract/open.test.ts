import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { listElements, listTable, rulesOf } from '../support/firewall.ts';
import { managerChild } from '../support/manager-child.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip, nft, run } from '../support/run.ts';
import { describeBackends } from './fixture.ts';
import { addressesOf, linkOf } from './oracles.ts';

const conflist = '/etc/cni/conf.d/fcnet.conflist';

const forwarding = async (family: 'ipv4/ip_forward' | 'ipv6/conf/all/forwarding') =>
  (await readFile(`/proc/sys/net/${family}`, 'utf8')).trim();

describeBackends('open', (lab) => {
  it('prepares bridge, forwarding, firewall and conflist', async () => {
    const manager = await lab.open();
    expect(manager.network).toBe('fcnet');
    expect(await linkOf(null, 'fcbr0')).toMatchObject({
      ...{ mtu: 1500, flags: expect.arrayContaining(['UP']), linkinfo: { info_kind: 'bridge' } },
    });
    expect(await addressesOf(null, 'fcbr0')).toEqual(['10.168.0.1/24']);
    expect(await forwarding('ipv4/ip_forward')).toBe('1');
    expect(await forwarding('ipv6/conf/all/forwarding')).toBe('0');
    expect(await listElements()).toEqual({
      bridges: ['fcbr0 (fcnet)'],
      gateways4: ['fcbr0 . 10.168.0.1 (fcnet)'],
      masquerade4: ['10.168.0.0/24 (fcnet)'],
      subnets4: ['10.168.0.0/24 (fcnet)'],
    });
  });

  it('writes a conflist of bridge, host-local and tc-redirect-tap', async () => {
    await lab.open({ mtu: 1400, dns: { nameservers: ['10.168.0.1'] } });
    expect(JSON.parse(await readFile(conflist, 'utf8'))).toEqual({
      ...{ cniVersion: '1.0.0', name: 'fcnet' },
      plugins: [
        {
          ...{ type: 'bridge', bridge: 'fcbr0', isGateway: true, mtu: 1400 },
          ...{ capabilities: { mac: true, ips: true }, dns: { nameservers: ['10.168.0.1'] } },
          ipam: {
            type: 'host-local',
            ranges: [[{ subnet: '10.168.0.0/24', gateway: '10.168.0.1' }]],
            routes: [{ dst: '0.0.0.0/0' }],
            dataDir: '/run/cni/networks',
          },
        },
        { type: 'tc-redirect-tap' },
      ],
      generated: { by: 'vulcan-net', sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
  });

  it('opened again changes nothing, and does not write the conflist again', async () => {
    await lab.open();
    const [before, { mtimeMs }] = [await canonicalDump(), await stat(conflist)];
    await Promise.all([lab.open(), lab.open(), lab.open()]);
    await expectUnchanged(before);
    expect((await stat(conflist)).mtimeMs).toBe(mtimeMs);
  });

  it('mends what somebody has removed', async () => {
    await lab.open();
    const before = await canonicalDump();
    await ip('link', 'delete', 'fcbr0');
    await nft('flush', 'ruleset');
    await rm(conflist);
    const manager = await lab.open();
    await expectUnchanged(before);
    await manager.setup('vm-1');
  });

  it('takes a firewall policy', async () => {
    await lab.open({
      ...{ masquerade: false, allowLinkLocal: true },
      hostAccess: [{ protocol: 'tcp', port: 53 }],
    });
    expect(await listElements()).toEqual({
      bridges: ['fcbr0 (fcnet)'],
      gateways4: ['fcbr0 . 10.168.0.1 (fcnet)'],
      host_ports: ['fcbr0 . tcp . 53 (fcnet)'],
      link_local: ['fcbr0 (fcnet)'],
      subnets4: ['10.168.0.0/24 (fcnet)'],
    });
  });

  it('changes no policy where set-ups could not succeed', async () => {
    const manager = await lab.open({ shutdown: 'leave' });
    await manager.setup('vm-1');
    const [before, conflistBefore] = [await listElements(), await readFile(conflist, 'utf8')];
    const options = { backend: 'cni', hostAccess: 'all', pluginDirs: ['/none'], verify: 'throw' } as const;
    await expectRefusal(lab.open(options), 'ERR_VERIFY', /plugin bridge is in none of \/none/);
    expect(await listElements()).toEqual(before);
    expect(await readFile(conflist, 'utf8')).toBe(conflistBefore);
  });

  it('is refused by a network that is there with another store of addresses', async () => {
    const manager = await lab.open();
    const other = lab.open({ addressDir: '/run/other' });
    await expectRefusal(other, 'ERR_BRIDGE_CONFLICT', /addresses in \/run\/cni\/networks/);
    await manager.removeNetwork();
    await lab.open({ addressDir: '/run/other' });
  });

  it('switches IPv6 forwarding on for a network of IPv6 alone', async () => {
    await lab.open({ subnet: 'fd78:1::/64' });
    expect(await forwarding('ipv6/conf/all/forwarding')).toBe('1');
  });

  it('NAT twice, or from several managers, gives one rule', async () => {
    await lab.open();
    const rules = await rulesOf('postrouting');
    expect(rules.filter((rule) => rule.includes('@masquerade4'))).toHaveLength(1);
    await lab.open();
    await lab.open({ network: 'blue', bridge: 'blue0', subnet: '10.9.0.0/24' });
    expect(await rulesOf('postrouting')).toEqual(rules);
    expect((await listElements())['masquerade4']).toEqual(['10.168.0.0/24 (fcnet)', '10.9.0.0/24 (blue)']);
  });

  it('NAT from several processes at once gives one rule', async () => {
    const networks = ['red', 'green', 'blue', 'fcnet'].map((network, index) => ({
      ...{ network, bridge: `${network}0`, subnet: `10.${index + 1}.0.0/24`, verify: 'off' },
      backend: lab.backend,
    }));
    const opened = networks.flatMap((options) =>
      [1, 2].map(() => run(process.execPath, [managerChild, JSON.stringify(options), 'open'])),
    );
    expect((await Promise.all(opened)).map((refusal) => refusal.trim())).toEqual(Array(8).fill('null'));
    const rules = await rulesOf('postrouting');
    expect(rules.filter((rule) => rule.includes('@masquerade4'))).toHaveLength(1);
    expect((await listElements())['masquerade4']).toHaveLength(4);
  });

  it('leaves tables, chains and rules of others alone', async () => {
    await nft('add table ip nat; add chain ip nat POSTROUTING { type nat hook postrouting priority 100; }');
    await nft('add rule ip nat POSTROUTING oifname "docker0" counter masquerade');
    const theirs = await nft('list', 'table', 'ip', 'nat');
    const manager = await lab.open();
    await manager.setup('vm-1');
    await manager.teardown('vm-1');
    await manager.removeNetwork();
    expect(await nft('list', 'table', 'ip', 'nat')).toBe(theirs);
  });
});

describeBackends('removeNetwork', (lab) => {
  it('removes all that open prepared, and nothing else', async () => {
    const blue = await lab.open({ network: 'blue', bridge: 'blue0', subnet: '10.9.0.0/24' });
    await blue.setup('vm-1');
    await writeFile('/etc/cni/conf.d/mine.conflist', '{}');
    const before = await canonicalDump();
    const manager = await lab.open();
    await manager.setup('vm-2');
    await manager.teardown('vm-2');
    await manager.removeNetwork();
    await expectUnchanged(before);
    expect(await listTable()).toContain('10.9.0.0/24');
    await manager.removeNetwork();
    await expectUnchanged(before);
    await blue.teardown('vm-1');
    await blue.removeNetwork();
    expect(await listTable()).toBe('');
  });
});
