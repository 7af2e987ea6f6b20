import { expect, it } from 'vitest';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import type { NetworkConfig } from '../../lib/types.ts';
import { capture } from '../support/capture.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { until } from '../support/lab.ts';
import { ip, nft, outcomeOf, run, runIn } from '../support/run.ts';
import { standIn } from '../support/stand-in.ts';
import * as traffic from '../support/traffic.ts';
import { describeBackends } from './fixture.ts';
import { expectTraffic } from './layout-traffic.ts';
import { addressesOf, hostLinks, linkOf, ownRoutes, rules, vmRoutes } from './oracles.ts';

const routed: NetworkManagerOptions = { layout: 'routed', subnet: '10.168.0.0/28' };

async function hostLink(vmId: string): Promise<string> {
  const link = (await hostLinks()).find(({ ifalias = '' }) => ifalias.includes(` ${vmId} `));
  return link?.ifname ?? '';
}

/** What somebody did to vm-1, `LINK` being its link on the host, and what `check` calls it. */
const damages: readonly (readonly [string, readonly string[], string])[] = [
  ['its link is down', ['ip', 'link', 'set', 'LINK', 'down'], 'link'],
  ['its link is in another group', ['ip', 'link', 'set', 'LINK', 'group', '7'], 'link'],
  ['its route is gone', ['ip', 'route', 'delete', '10.168.0.2'], 'route'],
  ['the gateway is gone', ['ip', 'address', 'delete', '10.168.0.1/32', 'dev', 'fcbr0'], 'bridge'],
  ['the host answers for nobody', ['sysctl', '-qw', 'net.ipv4.conf.LINK.proxy_arp=0'], 'link'],
  ['the host forwards nothing of it', ['sysctl', '-qw', 'net.ipv4.conf.LINK.forwarding=0'], 'link'],
  ['the host keeps the gateway to itself', ['sysctl', '-qw', 'net.ipv4.conf.LINK.arp_ignore=1'], 'link'],
  ['the host answers late', ['sysctl', '-qw', 'net.ipv4.neigh.LINK.proxy_delay=80'], 'link'],
  ['one of its guards is gone', ['nft', 'flush', 'set', 'arp', 'vulcan_guard', 'bindings4'], 'guard'],
  ['its group is none of the firewall', ['nft', 'flush', 'set', 'inet', 'vulcan', 'groups'], 'firewall'],
];

/** What the namespace says it is, in place of what it is. */
const lies: readonly (readonly [string, (one: NetworkConfig, two: NetworkConfig) => readonly string[][]])[] =
  [
    ["another's MAC", (_one, two) => [['link', 'set', 'eth0', 'address', two.mac]]],
    [
      "another's address",
      (one, two) => [
        ['address', 'delete', `${one.guestIp}/28`, 'dev', 'eth0'],
        ['address', 'add', `${two.guestIp}/28`, 'dev', 'eth0'],
        ['route', 'replace', 'default', 'via', '10.168.0.1'],
      ],
    ],
  ];

describeBackends(
  'a routed network',
  (lab) => {
    it('has a route to each VM, no bridge between them, and the same rules for any number', async () => {
      const before = await canonicalDump();
      const manager = await lab.open(routed);
      const constant = await rules();
      const [one, two] = [await manager.setup('vm-1'), await manager.setup('vm-2')];
      expect((await hostLinks()).map(({ master }) => master)).toEqual([undefined, undefined]);
      expect(await addressesOf(null, 'fcbr0')).toEqual(['10.168.0.1/32']);
      expect(await vmRoutes()).toMatchObject([
        { dst: one.guestIp, dev: await hostLink('vm-1'), prefsrc: '10.168.0.1' },
        { dst: two.guestIp, dev: await hostLink('vm-2'), prefsrc: '10.168.0.1' },
      ]);
      expect(two).toMatchObject({ prefixLength: 28, gatewayIp: '10.168.0.1' });
      expect(two.result).toMatchObject({ interfaces: [{ name: await hostLink('vm-2') }, {}, {}, {}] });
      expect(await rules()).toEqual(constant);
      await manager.teardown('vm-1');
      expect(await vmRoutes()).toMatchObject([{ dst: two.guestIp }]);
      await manager.teardown('vm-2');
      await manager.removeNetwork();
      expect(await ownRoutes()).toEqual([]);
      await expectUnchanged(before);
    });

    it('lets VMs reach each other, the gateway, what hostAccess lists and the world; nobody answers for nobody', () =>
      expectTraffic(
        lab,
        routed,
        () => hostLink('vm-1'),
        async ({ first, second, two }) => {
          // A broadcast ends at the host.
          await using far = await capture(second, 'eth0');
          const broadcast = ['ping', '-b', '-c', '1', '-W', '1', '10.168.0.15'];
          await outcomeOf('nsenter', [`--net=${first}`, '--', ...broadcast]);
          await traffic.ping(first, two.guestIp);
          await until('what came after it', () => far.has(Buffer.from('0aa800020aa80003', 'hex')));
          expect(far.has(Buffer.from('0aa8000f', 'hex'))).toBe(false);
        },
      ));

    it.each(lies)('drops what says %s, in IP packets and ARP alike', async (_title, tell) => {
      const manager = await lab.open(routed);
      const [one, two] = [await manager.setup('vm-1'), await manager.setup('vm-2')];
      const first = await standIn(one);
      expect(await traffic.ping(first, '10.168.0.1')).toBe(true);
      for (const change of tell(one, two)) await runIn(first, 'ip', ...change);
      const link = await hostLink('vm-1');
      // With the neighbour known, packets alone are looked at; without, ARP comes first.
      const { address } = await linkOf(null, link);
      const gateway = [
        'neigh',
        'replace',
        '10.168.0.1',
        'lladdr',
        address,
        'dev',
        'eth0',
        'nud',
        'permanent',
      ];
      await runIn(first, 'ip', ...gateway);
      const dropped = async (family: string) => {
        const chain = await nft('list', 'chain', family, 'vulcan_guard', 'guard');
        return Number(/packets (\d+) bytes/.exec(chain)?.[1]);
      };
      expect(await traffic.isUnanswered(first, '10.168.0.1')).toBe(true);
      expect(await dropped('inet')).toBeGreaterThan(0);
      await runIn(first, 'ip', 'neigh', 'delete', '10.168.0.1', 'dev', 'eth0');
      expect(await traffic.isUnanswered(first, '10.168.0.1')).toBe(true);
      expect(await dropped('arp')).toBeGreaterThan(0);
      expect(await ip('neigh', 'show', 'dev', link)).not.toMatch(new RegExp(`${two.guestIp} |${two.mac}`));
    });

    it.each(damages)('is put right by repair when %s', async (_title, command, subject) => {
      const manager = await lab.open(routed);
      await manager.setup('vm-1');
      expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
      const before = await canonicalDump();
      const link = await hostLink('vm-1');
      const [file = '', ...args] = command.map((word) => word.replace('LINK', link));
      await run(file, args);
      const { differences } = await manager.check('vm-1');
      expect(differences.map((each) => each.subject)).toContain(subject);
      expect(await manager.repair('vm-1')).toMatchObject({ ok: true });
      expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
      await expectUnchanged(before);
    });
  },
  ['native'],
);
