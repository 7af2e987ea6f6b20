import { readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { DifferenceSubject } from '../../lib/types.ts';
import { canonicalDump, expectUnchanged, withoutLinkLocal } from '../support/dump.ts';
import { holdLock } from '../support/hold-lock.ts';
import { until } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip, nft, runIn } from '../support/run.ts';
import { describeBackends } from './fixture.ts';
import { hostLinks, linkOf } from './oracles.ts';

const netns = '/var/run/netns/vulcan-vm-1';
const host = '/proc/self/ns/net';

/** The link of vm-1, which is set up first. */
async function hostLink(): Promise<string> {
  const link = (await hostLinks()).find(({ ifalias }) => ifalias === 'vulcan-net fcnet vm-1 eth0');
  if (link === undefined) throw new Error('the VM has no link');
  return link.ifname;
}

const expectSame = (before: string) => expectUnchanged(before, { seen: withoutLinkLocal });

const inside = (...args: readonly string[]) => runIn(netns, args[0] ?? '', ...args.slice(1));

const bridgeLink = async (...args: readonly string[]) =>
  runIn(host, 'bridge', 'link', 'set', 'dev', await hostLink(), ...args);

/** What somebody did, and what `check` names that `repair` then puts back. */
const damages: readonly (readonly [string, () => Promise<unknown>, DifferenceSubject])[] = [
  ['the link on the host is down', async () => ip('link', 'set', await hostLink(), 'down'), 'link'],
  ['the port of the bridge is disabled', async () => bridgeLink('state', '0'), 'link'],
  [
    'the port of the bridge is cut for good',
    async () => ip('link', 'set', await hostLink(), 'mode', 'dormant', 'state', 'DORMANT'),
    'link',
  ],
  [
    'the port of the bridge is to go with its carrier',
    async () => ip('link', 'set', await hostLink(), 'mode', 'dormant'),
    'link',
  ],
  [
    'the link on the host is down, and dormant',
    async () => ip('link', 'set', await hostLink(), 'mode', 'dormant', 'down'),
    'link',
  ],
  [
    'the link is no port of the bridge',
    async () => ip('link', 'set', await hostLink(), 'nomaster'),
    'bridge',
  ],
  ['the port is isolated', async () => bridgeLink('isolated', 'on'), 'bridge'],
  ['the port is a hairpin', async () => bridgeLink('hairpin', 'on'), 'bridge'],
  [
    'the port hides frames',
    async () => ip('link', 'set', await hostLink(), 'type', 'bridge_slave', 'group_fwd_mask', '0'),
    'guard',
  ],
  ['the port is none for a guest', async () => ip('link', 'set', await hostLink(), 'group', '0'), 'guard'],
  ['the alias is another', async () => ip('link', 'set', await hostLink(), 'alias', 'mine'), 'alias'],
  ['the MTU on the host is another', async () => ip('link', 'set', await hostLink(), 'mtu', '1300'), 'mtu'],
  ['the ruleset was flushed', () => nft('flush', 'ruleset'), 'firewall'],
  ['a chain was flushed', () => nft('flush', 'chain', 'inet', 'vulcan', 'forward'), 'firewall'],
  ['an element is gone', () => nft('flush', 'set', 'inet', 'vulcan', 'bridges'), 'firewall'],
  ['the guard of the VM is gone', () => nft('flush', 'set', 'bridge', 'vulcan', 'bindings4'), 'guard'],
  ['the guard has lost its rules', () => nft('flush', 'table', 'bridge', 'vulcan'), 'guard'],
  ['the link inside is down', () => inside('ip', 'link', 'set', 'eth0', 'down'), 'link'],
  ['the TAP is down', () => inside('ip', 'link', 'set', 'tap0', 'down'), 'tap'],
  ['the TAP is gone', () => inside('ip', 'link', 'delete', 'tap0'), 'tap'],
  ['the MTU of the TAP is another', () => inside('ip', 'link', 'set', 'tap0', 'mtu', '1300'), 'mtu'],
  ['the MTU of the link inside is another', () => inside('ip', 'link', 'set', 'eth0', 'mtu', '1300'), 'mtu'],
  ['the MAC is another', () => inside('ip', 'link', 'set', 'eth0', 'address', '02:00:00:00:99:99'), 'mac'],
  ['the addresses were flushed', () => inside('ip', 'address', 'flush', 'dev', 'eth0'), 'address'],
  ['the route is gone', () => inside('ip', 'route', 'delete', 'default'), 'route'],
  ['the qdisc is gone', () => inside('tc', 'qdisc', 'delete', 'dev', 'eth0', 'ingress'), 'qdisc'],
  ['the filter is gone', () => inside('tc', 'filter', 'delete', 'dev', 'tap0', 'ingress'), 'filter'],
  [
    'another filter stands before it',
    async () => {
      await inside('tc', 'filter', 'delete', 'dev', 'tap0', 'ingress');
      const elsewhere = [
        'u32',
        'match',
        'u32',
        '0',
        '0',
        'action',
        'mirred',
        'egress',
        'redirect',
        'dev',
        'lo',
      ];
      await inside('tc', 'filter', 'add', 'dev', 'tap0', 'ingress', 'protocol', 'all', ...elsewhere);
    },
    'filter',
  ],
];

describeBackends('repair', (lab) => {
  const recordOf = (vmId: string) => `${lab.stateDir}/results/fcnet-${vmId}-eth0`;

  it.each(damages)('puts it back when %s', async (_title, damage, subject) => {
    const manager = await lab.open({ shutdown: 'teardown' });
    await manager.setup('vm-1');
    await manager.setup('vm-2');
    const before = await canonicalDump();
    await damage();
    const { differences } = await manager.check('vm-1');
    expect(differences.map((difference) => difference.subject)).toContain(subject);
    const { ok, repaired, failed } = await manager.repair();
    expect(failed).toEqual([]);
    expect(ok).toBe(true);
    expect(repaired).toContainEqual({ vmId: 'vm-1', subject, message: expect.any(String) });
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
    await expectSame(before);
  });

  it('gives the TAP to its owner', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1', { tapOwner: { uid: 1234, gid: 5678 } });
    const before = await canonicalDump();
    await inside('ip', 'link', 'delete', 'tap0');
    await inside('ip', 'tuntap', 'add', 'dev', 'tap0', 'mode', 'tap', 'one_queue', 'vnet_hdr');
    const { differences } = await manager.check('vm-1');
    expect(differences.map(({ subject }) => subject)).toEqual(
      expect.arrayContaining(['tap', 'tap-owner', 'qdisc', 'filter']),
    );
    expect((await manager.repair('vm-1')).failed).toEqual([]);
    await expectSame(before);
  });

  it('reserves the address again, and does not take one that is somebody else’s', async () => {
    const manager = await lab.open();
    const { guestIp } = await manager.setup('vm-1');
    const file = `/run/cni/networks/fcnet/${guestIp}`;
    await rm(file);
    expect((await manager.check('vm-1')).differences).toContainEqual({
      ...{ subject: 'reservation', message: `${guestIp} is not reserved` },
    });
    expect((await manager.repair('vm-1')).ok).toBe(true);
    expect(await readFile(file, 'utf8')).toBe('vm-1\r\neth0');
    await writeFile(file, 'someone\r\neth0');
    const { ok, failed } = await manager.repair('vm-1');
    expect(ok).toBe(false);
    expect(failed).toContainEqual({
      ...{ vmId: 'vm-1', subject: 'reservation', error: null },
      message: `${guestIp} is reserved for somebody else`,
    });
  });

  it('joins the bridge again when somebody has deleted it', async () => {
    const manager = await lab.open();
    const { vmId } = await manager.setup('vm-1');
    const before = await canonicalDump();
    await ip('link', 'delete', 'fcbr0');
    expect((await manager.check(vmId)).differences).toContainEqual(
      expect.objectContaining({ subject: 'bridge' }),
    );
    expect((await manager.repair()).ok).toBe(true);
    await expectSame(before);
    expect(await linkOf(null, await hostLink())).toMatchObject({ master: 'fcbr0' });
  });

  it('says what only a new setup can help, and touches nothing else', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    await ip('link', 'delete', await hostLink());
    await until('the link to go', async () => (await hostLinks()).length === 0);
    const before = await canonicalDump();
    const { ok, repaired, failed } = await manager.repair('vm-1');
    expect({ ok, repaired }).toEqual({ ok: false, repaired: [] });
    expect(failed).toContainEqual(expect.objectContaining({ vmId: 'vm-1', subject: 'link', error: null }));
    await expectSame(before);
  });

  /** What is left of a VM that cannot be whole again, and what says so. */
  const losses: readonly (readonly [string, () => Promise<unknown>, DifferenceSubject])[] = [
    [
      'its namespace is gone',
      async () => {
        await ip('netns', 'delete', 'vulcan-vm-1');
        await until('the link to go', async () => (await hostLinks()).length === 1);
      },
      'anchor',
    ],
    ['its record is gone, and nobody uses it', () => rm(recordOf('vm-1')), 'record'],
    ['its record cannot be read, and nobody uses it', () => truncate(recordOf('vm-1'), 100), 'record'],
  ];

  it.each(losses)('removes nothing where %s, and says what does', async (_title, lose, subject) => {
    const manager = await lab.open();
    const empty = await canonicalDump();
    await manager.setup('vm-1');
    await manager.setup('vm-2');
    await lose();
    const before = await canonicalDump();
    const error = expect.objectContaining({
      code: 'ERR_ATTACHMENT_LOST',
      message: expect.stringMatching(/call teardown\(vmId\), or gc\(\)/),
    });
    const report = {
      ok: false,
      repaired: [],
      failed: [{ vmId: 'vm-1', subject, message: expect.any(String), error }],
    };
    expect(await manager.repair()).toEqual(report);
    expect(await manager.repair('vm-1')).toEqual(report);
    expect(await manager.repair('vm-2')).toEqual({ ok: true, repaired: [], failed: [] });
    await expectSame(before);
    await manager.gc({ keep: ['vm-2'] });
    expect(await manager.repair()).toEqual({ ok: true, repaired: [], failed: [] });
    await manager.teardown('vm-2', { wait: true });
    await expectSame(empty);
  });

  it('says whose lock it waited for in vain, and puts the others back', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    await manager.setup('vm-2');
    await rm(recordOf('vm-1'));
    await nft('flush', 'set', 'bridge', 'vulcan', 'bindings4');
    const release = await holdLock(`${lab.stateDir}/locks/vm-1`);
    const { ok, repaired, failed } = await manager.repair();
    expect({ ok, failed }).toMatchObject({
      ok: false,
      failed: [{ vmId: 'vm-1', subject: 'record', error: { code: 'ERR_LOCK_TIMEOUT' } }],
    });
    expect(repaired).toMatchObject([{ vmId: 'vm-2', subject: 'guard' }]);
    await release();
    expect(await manager.repair('vm-2')).toEqual({ ok: true, repaired: [], failed: [] });
  });

  it('does nothing where nothing differs, and refuses a VM that has no network', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    const before = await canonicalDump();
    expect(await manager.repair()).toEqual({ ok: true, repaired: [], failed: [] });
    await expectRefusal(manager.repair('vm-2'), 'ERR_ATTACHMENT_NOT_FOUND', 'vm-2 has no network fcnet', {
      ...{ operation: 'repair', vmId: 'vm-2', network: 'fcnet' },
    });
    await expectSame(before);
  });
});
