import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import type { FirewallNetwork } from '../../lib/native/engine.ts';
import { verifyForeignChains } from '../../lib/verify/foreign-chains.ts';
import { networkPlan } from '../support/firewall.ts';
import { resetLab, until } from '../support/lab.ts';
import { addonFile, native } from '../support/native.ts';
import { ip, outcomeOf, run } from '../support/run.ts';
import {
  addBridge,
  addGuest,
  addOutside,
  Background,
  host,
  isDropped,
  outsideAddress,
  reach,
} from '../support/traffic.ts';

async function load(ruleset: string): Promise<void> {
  const { exitCode, stderr } = await outcomeOf('nft', ['-f', '-'], { input: ruleset });
  if (exitCode !== 0) throw new Error(stderr);
}

const bridged = (key: string, value: string) =>
  writeFile(`/proc/sys/net/bridge/bridge-nf-call-${key}`, value);

/** As Docker makes them with iptables-nft. */
const docker = `
  table ip filter {
    chain DOCKER-USER { counter return; }
    chain DOCKER-ISOLATION { iifname "docker0" oifname != "docker0" counter drop; counter return; }
    chain FORWARD {
      type filter hook forward priority filter; policy drop;
      counter jump DOCKER-USER
      counter jump DOCKER-ISOLATION
      oifname "docker0" ct state established,related counter accept
    }
  }`;

describe('chains of others', () => {
  beforeEach(async () => {
    await resetLab();
    await bridged('iptables', '0');
    await bridged('ip6tables', '0');
    await native.firewallEnsure(networkPlan('red', 'red0', '10.168.0.0/24'));
  });

  const drops = async () =>
    (await native.foreignChains({})).map((chain) => [
      `${chain.family} ${chain.table} ${chain.chain}`,
      chain.drops,
    ]);

  it('do not include our own', async () => {
    expect(await drops()).toEqual([]);
  });

  it("that are Docker's drop", async () => {
    await load(docker);
    expect(await native.foreignChains({})).toEqual([
      {
        ...{ family: 'ip', table: 'filter', chain: 'FORWARD', hook: 'forward' },
        ...{ drops: true, bridged: false, dockerUser: true },
      },
    ]);
  });

  it.each([
    ['policy accept', 'policy accept;', false],
    ['policy drop', 'policy drop;', true],
    ['a condition on a drop', 'policy accept; ip daddr 10.0.0.0/8 drop;', false],
    ['a last rule that drops', 'policy accept; tcp dport 80 accept; counter drop;', true],
    [
      'a last rule that rejects',
      'policy accept; log prefix "no"; reject with icmpx type admin-prohibited;',
      true,
    ],
    ['a rule that accepts all before the policy', 'policy drop; counter accept;', false],
    ['a jump to a chain that drops', 'policy accept; jump dropping;', true],
    ['a jump to a chain that accepts', 'policy drop; jump accepting;', false],
    ['a jump to a chain that returns', 'policy drop; jump returning;', true],
    ['a goto to a chain that returns', 'policy accept; goto returning; drop;', false],
    ['a condition on a jump', 'policy accept; tcp dport 80 jump dropping;', false],
  ])('with %s', async (_what, rules, expected) => {
    await load(`table inet other {
      chain dropping { drop; }
      chain accepting { accept; }
      chain returning { counter return; }
      chain passing { type filter hook forward priority 10; ${rules} }
    }`);
    expect(await drops()).toEqual([['inet other passing', expected]]);
  });

  it('are found in each family and on each hook that guests meet, and on no other', async () => {
    const chain = (hook: string) => `chain ${hook} { type filter hook ${hook} priority 0; policy drop; }`;
    const hooks = ['forward', 'input'];
    const families = ['bridge', 'inet', 'ip', 'ip6'];
    for (const family of families) await load(`table ${family} t { ${hooks.map(chain).join(';')}; }`);
    await load(`table arp t { ${chain('input')}; }`);
    await load(`table inet u { ${chain('output')}; }`);
    const found = (await native.foreignChains({})).map(({ family, hook }) => `${family} ${hook}`);
    expect(found.sort()).toEqual(families.flatMap((family) => hooks.map((hook) => `${family} ${hook}`)));
  });

  it('are passed by bridged frames too where br_netfilter says so', async () => {
    await load('table ip a { chain c { type filter hook forward priority 0; policy drop; }; }');
    await load('table ip6 b { chain c { type filter hook forward priority 0; policy drop; }; }');
    await load('table bridge c { chain c { type filter hook forward priority 0; policy drop; }; }');
    const seen = async () =>
      Object.fromEntries((await native.foreignChains({})).map((chain) => [chain.family, chain.bridged]));
    expect(await seen()).toEqual({ ip: false, ip6: false, bridge: true });
    await bridged('iptables', '1');
    expect(await seen()).toEqual({ ip: true, ip6: false, bridge: true });
    await bridged('ip6tables', '1');
    expect(await seen()).toEqual({ ip: true, ip6: true, bridge: true });
  });
});

describe('what verify says of a chain that drops', () => {
  const guest = '10.168.0.2';
  const plan = (change: Partial<FirewallNetwork>) => networkPlan('red', 'red0', '10.168.0.0/24', change);
  const many = Array.from({ length: 256 }, (_, index) => (index === 0 ? 'red0' : `red0-${index}`));
  const drop = (family: string, hook = 'forward') =>
    load(`table ${family} t { chain c { type filter hook ${hook} priority 0; policy drop; }; }`);
  const iptables = (program: string, chain?: string) => async () => {
    await run(program, ['-P', 'FORWARD', 'DROP']);
    if (chain === undefined) return;
    await run(program, ['-N', chain]);
    await run(program, ['-I', 'FORWARD', '-j', chain]);
  };

  beforeEach(async () => {
    await resetLab();
    await addOutside();
    return async () => {
      // Its tables stay until the lab ends.
      for (const [option, ...rest] of [
        ['-P', 'FORWARD', 'ACCEPT'],
        ['-P', 'INPUT', 'ACCEPT'],
        ['-F'],
        ['-X'],
      ] as const)
        await run('iptables-legacy', [option, ...rest]);
      await resetLab();
    };
  });

  const hears = async (from: string, address: string) =>
    (await outcomeOf('nsenter', [`--net=${from}`, '--', 'ping', '-c', '1', '-W', '0.3', address]))
      .exitCode === 0;

  it.each([
    ['iptables-nft', 'red0', plan({}), iptables('iptables-nft')],
    ["iptables-nft of Docker's", 'red0-7', plan({ bridges: many }), iptables('iptables-nft', 'DOCKER-USER')],
    ['iptables-legacy', 'red0', plan({ bridges: ['blue0', 'red0'] }), iptables('iptables-legacy')],
    ["iptables-legacy of Docker's", 'vn0', plan({ group: 7 }), iptables('iptables-legacy', 'DOCKER-USER')],
    ['inet, several bridges', 'red0-7', plan({ bridges: many }), () => drop('inet')],
    ['inet, a routed network', 'vn0', plan({ group: 7 }), () => drop('inet')],
    ['inet, no bridge', 'x0', plan({ bridges: [] }), () => drop('inet')],
    ['ip, no bridge', 'x0', plan({ bridges: [] }), () => drop('ip')],
    ['iptables-nft, no bridge', 'x0', plan({ bridges: [] }), iptables('iptables-nft')],
  ] as const)('lets guests through: %s', async (_what, link, firewall, drops) => {
    await addBridge(link, ['10.168.0.1/24']);
    await ip('link', 'set', link, 'group', '7');
    const netns = await addGuest('one', link, [`${guest}/24`], ['10.168.0.1']);
    await drops();
    expect(await hears(netns, outsideAddress)).toBe(false);
    const [found] = await verifyForeignChains({ binding: native, firewall });
    const commands = found?.remedy.replace(/^[^:]*: /, '') ?? '';
    expect(commands.length).toBeLessThan(500);
    await run('sh', ['-c', commands]);
    await until('an answer', () => hears(netns, outsideAddress));
  });

  const services = [22, 80, 8080].map((port) => ({ protocol: 6, port }));
  const hostAccess = [...services, { protocol: 17, port: 53 }];

  it.each([
    ['iptables-nft', 'red0', plan({ hostAccess }), () => run('iptables-nft', ['-P', 'INPUT', 'DROP'])],
    [
      'iptables-legacy, no bridge',
      'x0',
      plan({ bridges: [], hostAccess }),
      () => run('iptables-legacy', ['-P', 'INPUT', 'DROP']),
    ],
    ['inet', 'red0', plan({ hostAccess: services.slice(2) }), () => drop('inet', 'input')],
    ['inet, a routed network', 'vn0', plan({ group: 7, hostAccess }), () => drop('inet', 'input')],
    ['ip, no bridge, all', 'x0', plan({ bridges: [], hostAccess: 'all' }), () => drop('ip', 'input')],
  ] as const)('lets guests reach what hostAccess lists: %s', async (_what, link, firewall, drops) => {
    await addBridge(link, ['10.168.0.1/24']);
    await ip('link', 'set', link, 'group', '7');
    const netns = await addGuest('one', link, [`${guest}/24`], ['10.168.0.1']);
    const server = Background.start(host, 'tcp-server', '::', '8080');
    try {
      await until('the server to start', () => server.lines.includes('ready'));
      await drops();
      expect(await isDropped(netns, '10.168.0.1', 8080)).toBe(true);
      expect(
        await verifyForeignChains({ binding: native, firewall: { ...firewall, hostAccess: [] } }),
      ).toEqual([]);
      const [found] = await verifyForeignChains({ binding: native, firewall });
      expect(found).toMatchObject({ id: 'input.foreign-drop', severity: 'warning' });
      await run('sh', ['-c', found?.remedy.replace(/^[^:]*: /, '') ?? '']);
      expect(await reach(netns, '10.168.0.1', 8080)).toBe(guest);
    } finally {
      await server.stop();
    }
  });

  it("does not look at a bridge's ports where nothing is bridged", async () => {
    await drop('bridge');
    expect(await verifyForeignChains({ binding: native, firewall: plan({}) })).toHaveLength(1);
    expect(await verifyForeignChains({ binding: native, firewall: plan({ group: 7 }) })).toEqual([]);
  });
});

describe('iptables', () => {
  const script = fileURLToPath(new URL('../support/iptables-chain.mjs', import.meta.url));
  const expected = [
    ['-P FORWARD DROP', true],
    ['-P FORWARD ACCEPT', false],
    ['-A FORWARD -s 10.0.0.0/8 -j DROP', false],
    ['-A FORWARD -m conntrack --ctstate INVALID -j DROP', false],
    ['-A FORWARD -m comment --comment last -j REJECT', true],
    ['-F FORWARD', false],
    ['-N USER', false],
    ['-A USER -j DROP', false],
    ['-A FORWARD -j USER', true],
    ['-I USER -j RETURN', false],
    ['-I FORWARD -g USER', false],
    ['-P FORWARD DROP', true],
    ['-I FORWARD -j ACCEPT', false],
  ];

  it.each(['iptables-nft', 'iptables-legacy'])(
    'of %s drops as its rules and its policy say',
    async (program) => {
      const commands = JSON.stringify(expected.map(([command]) => command));
      // A table of the old iptables stays until its namespace ends.
      const args = ['--net', process.execPath, script, addonFile, program, commands];
      expect(JSON.parse(await run('unshare', args))).toEqual(expected);
    },
  );

  it('of the old kind is looked at without CAP_NET_RAW, and by another user than root not at all', async () => {
    const look = `require(${JSON.stringify(addonFile)}).legacyForeignChains({}).then(
      ([{ drops }]) => console.log(drops), ({ code }) => console.log(code))`;
    const as = (user: string) => `setpriv ${user} -- "$0" -e "$1"`;
    const admin =
      '--reuid=65534 --regid=65534 --clear-groups --inh-caps=+net_admin --ambient-caps=+net_admin';
    const script = `iptables-legacy -P FORWARD DROP && ${as('--bounding-set=-net_raw --inh-caps=-net_raw')} && ${as(admin)}`;
    expect(await run('unshare', ['--net', 'sh', '-c', script, process.execPath, look])).toBe(
      'true\nEACCES\n',
    );
  });

  it('of the old kind is not brought to life by looking', async () => {
    const look = `require(${JSON.stringify(addonFile)}).legacyForeignChains({}).then(() => console.log(
      require('node:fs').readFileSync('/proc/self/net/ip_tables_names', 'utf8')))`;
    expect((await run('unshare', ['--net', process.execPath, '-e', look])).trim()).toBe('');
  });
});
