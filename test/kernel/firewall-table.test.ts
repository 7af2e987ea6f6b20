import { beforeEach, describe, expect, it } from 'vitest';
import { churn, listElements, listTable, networkPlan, rulesOf } from '../support/firewall.ts';
import { resetLab } from '../support/lab.ts';
import { native } from '../support/native.ts';
import { nft, outcomeOf } from '../support/run.ts';

const red = networkPlan('red', 'red0', '10.168.0.0/24');
const blue = networkPlan('blue', 'blue0', '10.169.0.0/24');

describe('the firewall table', () => {
  beforeEach(resetLab);

  it('has constant rules', async () => {
    await native.firewallEnsure(red);
    const chains = ['guests', 'postrouting', 'forward', 'input', 'output'];
    const rules = async () => Promise.all(chains.map(rulesOf));
    const first = await rules();
    for (let i = 0; i < 20; i++) {
      await native.firewallEnsure(networkPlan(`n${i}`, `n${i}br`, `10.1.${i}.0/24`, { hostAccess: 'all' }));
    }
    expect(await rules()).toEqual(first);
    expect(first).toMatchInlineSnapshot(`
      [
        [
          "meta nfproto ipv6 iifname != @ipv6 iifgroup != @group_ipv6 drop",
          "ip daddr 169.254.0.0/16 iifname != @link_local iifgroup != @group_link_local drop",
          "ct state invalid drop",
        ],
        [
          "ip saddr @masquerade4 oifname != @bridges oifgroup != @groups oif != "lo" ip daddr != 224.0.0.0/4 ip daddr != 255.255.255.255 masquerade",
          "ip6 saddr @masquerade6 oifname != @bridges oifgroup != @groups oif != "lo" ip6 daddr != ff00::/8 masquerade",
        ],
        [
          "iifgroup 1996488704 drop",
          "iifname @bridges jump guests",
          "iifgroup @groups jump guests",
          "iifname @isolated oifname @isolated drop",
          "iifname @isolated oifgroup @group_isolated drop",
          "iifgroup @group_isolated oifname @isolated drop",
          "iifgroup @group_isolated oifgroup @group_isolated drop",
          "ct state established,related accept",
          "ct state invalid,new tcp flags ! syn oifname @bridges drop",
          "ct state invalid,new tcp flags ! syn oifgroup @groups drop",
          "iifname @bridges accept",
          "iifgroup @groups accept",
          "oifname @bridges drop",
          "oifgroup @groups drop",
        ],
        [
          "iifgroup 1996488704 drop",
          "iifname != @bridges iifgroup != @groups accept",
          "jump guests",
          "ct state established,related accept",
          "ct state new tcp flags ! syn drop",
          "iifname @host_open accept",
          "iifgroup @group_host_open accept",
          "iifname . meta l4proto . th dport @host_ports accept",
          "iifgroup . meta l4proto . th dport @group_host_ports accept",
          "iifname . ip daddr @gateways4 icmp type echo-request accept",
          "iifgroup . ip daddr @group_gateways4 icmp type echo-request accept",
          "iifname . ip6 daddr @gateways6 icmpv6 type echo-request accept",
          "iifgroup . ip6 daddr @group_gateways6 icmpv6 type echo-request accept",
          "icmpv6 type nd-neighbor-solicit accept",
          "icmpv6 type nd-neighbor-advert accept",
          "drop",
        ],
        [
          "ct state invalid,new tcp flags ! syn oifname @bridges drop",
          "ct state invalid,new tcp flags ! syn oifgroup @groups drop",
        ],
      ]
    `);
  });

  it('is read and written by nft without loss', async () => {
    await native.firewallEnsure(
      networkPlan('red', 'red0', '10.168.0.0/24', {
        subnets: ['10.168.0.0/24', 'fd00:1::/64', '255.255.255.0/24'],
        gateways: ['10.168.0.1', 'fd00:1::1'],
        ipv6: true,
        allowLinkLocal: true,
        hostAccess: [{ protocol: 17, port: 53 }],
        group: 0x7600_1234,
      }),
    );
    const table = await listTable();
    await nft('flush', 'ruleset');
    const { exitCode, stderr } = await outcomeOf('nft', ['-f', '-'], { input: table });
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(await listTable()).toBe(table);
    expect(await native.firewallList({})).toEqual(['red']);
  });

  it('has each element under the name of its network', async () => {
    await native.firewallEnsure(
      networkPlan('red', 'red0', '10.168.0.0/24', { hostAccess: [{ protocol: 6, port: 80 }] }),
    );
    await native.firewallEnsure(
      networkPlan('blue', 'blue0', 'fd00:1::/64', {
        gateways: ['fd00:1::1'],
        masquerade: false,
        ipv6: true,
        allowLinkLocal: true,
        isolated: true,
        hostAccess: 'all',
      }),
    );
    expect(await listElements()).toEqual({
      bridges: ['blue0 (blue)', 'red0 (red)'],
      subnets4: ['10.168.0.0/24 (red)'],
      subnets6: ['fd00:1::/64 (blue)'],
      masquerade4: ['10.168.0.0/24 (red)'],
      gateways4: ['red0 . 10.168.0.1 (red)'],
      gateways6: ['blue0 . fd00:1::1 (blue)'],
      host_open: ['blue0 (blue)'],
      host_ports: ['red0 . tcp . 80 (red)'],
      link_local: ['blue0 (blue)'],
      ipv6: ['blue0 (blue)'],
      isolated: ['blue0 (blue)'],
    });
  });

  it('has nothing that an older library has left of a network with the same bridge', async () => {
    await native.firewallEnsure(red);
    await nft(
      'add element inet vulcan isolated { "red0" comment "gone" }; add element inet vulcan ipv6 { "red0" }',
    );
    expect(await native.firewallCheck(red)).toEqual(['elements']);
    await native.firewallEnsure(red);
    const table = await listTable();
    expect(table).not.toContain('gone');
    // By hand, which nobody but who did it takes away.
    expect(table).toMatch(/set ipv6 {[^}]*elements = { "red0" }/);
    expect(await native.firewallCheck(red)).toEqual([]);
  });

  it('takes more elements than fit in one message', async () => {
    const hostAccess = Array.from({ length: 3000 }, (_, i) => ({ protocol: 6, port: i + 1 }));
    await native.firewallEnsure({ ...red, hostAccess });
    expect((await listElements())['host_ports']).toHaveLength(3000);
    await native.firewallEnsure(red);
    expect((await listElements())['host_ports']).toBeUndefined();
  });

  it('forgets what a network no longer wants', async () => {
    await native.firewallEnsure({ ...red, hostAccess: 'all', allowLinkLocal: true, ipv6: true });
    await native.firewallEnsure(blue);
    await native.firewallEnsure(networkPlan('red', 'red1', '10.168.0.0/16'));
    expect(await listElements()).toEqual({
      bridges: ['blue0 (blue)', 'red1 (red)'],
      subnets4: ['10.168.0.0/16 (red)', '10.169.0.0/24 (blue)'],
      masquerade4: ['10.168.0.0/16 (red)', '10.169.0.0/24 (blue)'],
      gateways4: ['blue0 . 10.169.0.1 (blue)', 'red1 . 10.168.0.1 (red)'],
    });
  });

  it('has each rule once, however often and from however many processes it is ensured', async () => {
    await Promise.all([red, blue, red, blue].map((plan) => churn(plan, 5, false)));
    for (let i = 0; i < 5; i++) await native.firewallEnsure(red);
    const masquerade = (await rulesOf('postrouting')).filter((rule) => rule.endsWith('masquerade'));
    expect(masquerade.filter((rule) => rule.startsWith('ip saddr'))).toHaveLength(1);
    expect(masquerade.filter((rule) => rule.startsWith('ip6 saddr'))).toHaveLength(1);
    expect(new Set(await rulesOf('input')).size).toBe((await rulesOf('input')).length);
    expect(await native.firewallList({})).toEqual(['blue', 'red']);
  });

  it('is consistent after four processes ensured and removed networks in a race', async () => {
    await native.firewallEnsure(red);
    const alone = await listTable();
    const racers = [1, 2, 3, 4].map((i) => networkPlan(`racer${i}`, `racer${i}`, `10.10.${i}.0/24`));
    await Promise.all(racers.map((plan) => churn(plan, 15, true)));
    expect(await native.firewallList({})).toEqual(['racer1', 'racer2', 'racer3', 'racer4', 'red']);
    for (const { network } of racers) await native.firewallRemove({ network });
    expect(await listTable()).toBe(alone);
  });

  it('comes back whole after someone flushed the ruleset', async () => {
    await native.firewallEnsure(red);
    const table = await listTable();
    await nft('flush', 'ruleset');
    expect(await native.firewallList({})).toEqual([]);
    await native.firewallEnsure(red);
    expect(await listTable()).toBe(table);
  });

  it('is mended when someone changed its rules', async () => {
    await native.firewallEnsure(red);
    const table = await listTable();
    await nft('flush chain inet vulcan input; insert rule inet vulcan forward accept');
    await nft('delete element inet vulcan bridges { red0 }');
    await native.firewallEnsure(red);
    expect(await listTable()).toBe(table);
  });
});

describe('a network that is removed', () => {
  beforeEach(resetLab);

  it('leaves the others as they were', async () => {
    await native.firewallEnsure(red);
    const alone = await listTable();
    await native.firewallEnsure({ ...blue, hostAccess: 'all' });
    await native.firewallRemove({ network: 'blue' });
    expect(await listTable()).toBe(alone);
  });

  it('takes the table with it when it was the last', async () => {
    await native.firewallEnsure(red);
    await native.firewallRemove({ network: 'red' });
    expect(await nft('list', 'ruleset')).toBe('');
  });

  it('may be absent', async () => {
    await native.firewallRemove({ network: 'red' });
    await native.firewallEnsure(red);
    await native.firewallRemove({ network: 'blue' });
    expect(await native.firewallList({})).toEqual(['red']);
  });
});

describe('tables of others', () => {
  beforeEach(resetLab);

  it('are never touched', async () => {
    await nft('add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; }');
    await nft(
      'add rule ip filter FORWARD counter accept; add table inet vulcan2; add set inet vulcan2 bridges { type ifname; }',
    );
    await nft('add element inet vulcan2 bridges { red0 }');
    const before = await nft('-s', 'list', 'ruleset');
    await native.firewallEnsure(red);
    const own = await listTable();
    expect((await nft('-s', 'list', 'ruleset')).replace(own, '')).toBe(before);
    await native.firewallRemove({ network: 'red' });
    expect(await nft('-s', 'list', 'ruleset')).toBe(before);
  });

  it('that have our name are an error, and stay as they are', async () => {
    await nft('add', 'table', 'inet', 'vulcan');
    const before = await nft('list', 'ruleset');
    await expect(native.firewallEnsure(red)).rejects.toMatchObject({ code: 'EEXIST', reason: 'foreign' });
    await native.firewallRemove({ network: 'red' });
    expect(await nft('list', 'ruleset')).toBe(before);
  });
});

describe('a table of another layout', () => {
  beforeEach(resetLab);

  async function relabel(layout: number): Promise<void> {
    const table = (await listTable()).replace(/layout -?\d+/, `layout ${layout}`);
    await nft('flush', 'ruleset');
    await outcomeOf('nft', ['-f', '-'], { input: table });
  }

  it('is rebuilt with everything in it when it is older', async () => {
    await native.firewallEnsure({ ...red, hostAccess: 'all' });
    await native.firewallEnsure(blue);
    const current = await listTable();
    await relabel(-1);
    await nft(
      'add set inet vulcan retired { type mark; }; add rule inet vulcan input meta mark @retired accept',
    );
    await native.firewallEnsure(blue);
    expect(await listTable()).toBe(current);
  });

  it('keeps its rules when it is newer', async () => {
    await native.firewallEnsure(red);
    await relabel(1000);
    await nft(
      'add set inet vulcan later { type mark; }; insert rule inet vulcan input meta mark @later accept',
    );
    await native.firewallEnsure(blue);
    await native.firewallRemove({ network: 'red' });
    expect(await native.firewallList({})).toEqual(['blue']);
    expect(await rulesOf('input')).toContain('meta mark @later accept');
    expect(await listTable()).toContain('layout 1000');
  });
});

describe('a conflict', () => {
  beforeEach(async () => {
    await resetLab();
    await native.firewallEnsure(red);
  });

  it.each([
    ['a bridge', networkPlan('blue', 'red0', '10.169.0.0/24'), 'red0'],
    ['the same subnet', networkPlan('blue', 'blue0', '10.168.0.0/24'), '10.168.0.0/24'],
    ['a subnet inside', networkPlan('blue', 'blue0', '10.168.0.128/25'), '10.168.0.128/25'],
    ['a subnet around', networkPlan('blue', 'blue0', '10.0.0.0/8'), '10.0.0.0/8'],
  ])('over %s names the other network and changes nothing', async (_what, plan, path) => {
    const before = await listTable();
    const error = await native.firewallEnsure(plan).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: 'EEXIST', reason: 'network-conflict', path });
    expect(String(error)).toContain("'red'");
    expect(await listTable()).toBe(before);
  });
});
