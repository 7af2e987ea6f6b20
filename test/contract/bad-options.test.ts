import { expect, it } from 'vitest';
import type { ErrorCode } from '../../lib/errors.ts';
import type { NetworkManagerOptions, SetupOptions } from '../../lib/options.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { expectRefusal } from '../support/refusal.ts';
import { type ContractLab, describeBackends } from './fixture.ts';

type Refused = readonly [code: ErrorCode, says: string | RegExp];

const vmIds: readonly (readonly [title: string, vmId: string])[] = [
  ['empty', ''],
  ['over 64 characters', 'v'.repeat(65)],
  ['with a slash', 'vm/1'],
  ['with two dots alone', '..'],
  ['with a path that leads out', '../../etc/passwd'],
  ['with NUL', 'vm\0'],
  ['with a space', 'vm 1'],
  ['with a line end', 'vm-1\n'],
  ['with a leading dash', '-vm'],
];

const openOptions: readonly (readonly [
  title: string,
  options: NetworkManagerOptions,
  ...refused: Refused,
])[] = [
  [
    'a subnet with host bits',
    { subnet: '10.168.0.5/24' },
    'ERR_SUBNET_INVALID',
    'did you mean 10.168.0.0/24?',
  ],
  ['a subnet that is no CIDR', { subnet: '10.168.0.0' }, 'ERR_SUBNET_INVALID', 'is not CIDR'],
  [
    'a subnet that is too small',
    { subnet: '10.168.0.0/31' },
    'ERR_SUBNET_TOO_SMALL',
    'no room for a gateway and a guest',
  ],
  [
    'a subnet whose guests would not reach each other',
    { subnet: '169.254.7.0/24' },
    'ERR_OPTION_INVALID',
    "has addresses of 169.254.0.0/16, which guests don't reach: set allowLinkLocal",
  ],
  [
    'a subnet of link-local IPv6 addresses',
    { subnet: 'fe80::/64', allowLinkLocal: true },
    'ERR_OPTION_INVALID',
    'has addresses of fe80::/10',
  ],
  [
    'a gateway outside its subnet',
    { gateway: '10.169.0.1' },
    'ERR_GATEWAY_OUTSIDE',
    '10.168.0.1 to 10.168.0.254',
  ],
  [
    'a gateway that is the network itself',
    { gateway: '10.168.0.0' },
    'ERR_GATEWAY_OUTSIDE',
    'gateway 10.168.0.0',
  ],
  [
    'a bridge name over 15 bytes',
    { bridge: 'a-bridge-of-16-b' },
    'ERR_LINK_NAME_INVALID',
    'is longer than 15 bytes',
  ],
  [
    'an interface name with a slash',
    { ifName: 'eth/0' },
    'ERR_LINK_NAME_INVALID',
    'ifName "eth/0" has "/", ":", "%" or white space',
  ],
  [
    'a network name that is a path',
    { network: '../etc' },
    'ERR_OPTION_INVALID',
    'network "../etc" must match',
  ],
  ['an MTU below the least', { mtu: 67 }, 'ERR_OPTION_INVALID', 'is no integer from 68 to 65521'],
  ['a relative state directory', { stateDir: 'state' }, 'ERR_OPTION_INVALID', 'is no absolute path'],
  ['a plugin directory with a colon', { pluginDirs: ['/a:b'] }, 'ERR_OPTION_INVALID', 'has a ":"'],
];

const setupOptions: readonly (readonly [title: string, options: SetupOptions, ...refused: Refused])[] = [
  ['a malformed MAC', { mac: '02:00:00:00:00' }, 'ERR_MAC_INVALID', 'is not six hexadecimal pairs'],
  ['a multicast MAC', { mac: '03:00:00:00:00:01' }, 'ERR_MAC_INVALID', 'is a multicast address'],
  ['a MAC of zeros', { mac: '00:00:00:00:00:00' }, 'ERR_MAC_INVALID', 'is all zero'],
  [
    'a TAP name over 15 bytes',
    { tapName: 'a-tap-of-16-byte' },
    'ERR_LINK_NAME_INVALID',
    'is longer than 15 bytes',
  ],
  [
    'a TAP name that the kernel would count up',
    { tapName: 'tap%d' },
    'ERR_LINK_NAME_INVALID',
    'has "/", ":", "%" or white space',
  ],
  ['a TAP name that the link has', { tapName: 'eth0' }, 'ERR_LINK_NAME_INVALID', 'is taken by another link'],
  ['the TAP name lo', { tapName: 'lo' }, 'ERR_LINK_NAME_INVALID', 'is taken by another link'],
  [
    'a containerId with a slash',
    { containerId: 'a/b' },
    'ERR_OPTION_INVALID',
    'containerId "a/b" must match',
  ],
  ['an owner that is nobody', { tapOwner: { uid: -1, gid: 0 } }, 'ERR_OPTION_INVALID', 'tapOwner.uid'],
  ['no time at all', { timeoutMs: 0 }, 'ERR_OPTION_INVALID', 'timeoutMs'],
  ['the gateway as an address', { address: '10.168.0.1' }, 'ERR_OPTION_INVALID', 'address 10.168.0.1'],
  ['an address outside the subnet', { address: '10.9.0.2' }, 'ERR_OPTION_INVALID', 'address 10.9.0.2'],
];

/** What is of another type than the declarations say, as JavaScript lets pass. */
const wrongTypes: readonly (readonly [title: string, misuse: (lab: ContractLab) => Promise<unknown>])[] = [
  ['options of open', (lab) => lab.open({ subnet: 10 as unknown as string })],
  ['an unknown option of open', (lab) => lab.open({ brigde: 'fcbr0' } as NetworkManagerOptions)],
  ['a vmId', async (lab) => (await lab.open()).setup(7 as unknown as string)],
  ['options of setup', async (lab) => (await lab.open()).setup('vm-1', { mac: 2 as unknown as string })],
  [
    'the signal of setup',
    async (lab) => (await lab.open()).setup('vm-1', { signal: {} as unknown as AbortSignal }),
  ],
  [
    'options of teardown',
    async (lab) => (await lab.open()).teardown('vm-1', { wait: 1 as unknown as boolean }),
  ],
  ['keep of gc', async (lab) => (await lab.open()).gc({} as { keep: [] })],
  ['fn of withNetwork', async (lab) => (await lab.open()).withNetwork('vm-1', 5 as unknown as () => void)],
];

describeBackends('bad input', (lab) => {
  it.each(vmIds)('a vmId %s is refused by every verb that takes one', async (_title, vmId) => {
    const manager = await lab.open();
    const before = await canonicalDump();
    const setup = { operation: 'setup', vmId, rolledBack: true };
    const verbs: readonly (readonly [fields: object, verb: () => Promise<unknown>])[] = [
      [setup, () => manager.setup(vmId)],
      [{ operation: 'teardown', vmId }, () => manager.teardown(vmId)],
      [{ operation: 'check', vmId }, () => manager.check(vmId)],
      [{ operation: 'repair', vmId }, () => manager.repair(vmId)],
      [setup, () => manager.withNetwork(vmId, () => {})],
      [{ operation: 'gc' }, () => manager.gc({ keep: [vmId] })],
    ];
    for (const [fields, verb] of verbs) {
      await expectRefusal(verb, 'ERR_VM_ID_INVALID', 'must match ^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$', {
        ...{ network: 'fcnet', step: 'arguments', ...fields },
      });
    }
    expect(manager.stats().errors).toEqual({ ERR_VM_ID_INVALID: 3 });
    await expectUnchanged(before);
  });

  it.each(openOptions)('open refuses %s', async (_title, options, code, says) => {
    const before = await canonicalDump();
    await expectRefusal(lab.open(options), code, says, {
      ...{ operation: 'open', step: expect.stringMatching(/^(arguments|configuration)$/) },
    });
    await expectUnchanged(before);
  });

  it.each(setupOptions)('setup refuses %s', async (_title, options, code, says) => {
    const manager = await lab.open();
    const before = await canonicalDump();
    await expectRefusal(manager.setup('vm-1', options), code, says, {
      ...{ operation: 'setup', network: 'fcnet', vmId: 'vm-1', step: 'arguments', rolledBack: true },
    });
    await expectUnchanged(before);
  });

  it.each(wrongTypes)('%s of a wrong type: a TypeError', async (_title, misuse) => {
    await lab.open();
    const before = await canonicalDump();
    const refused = misuse(lab);
    await expect(refused).rejects.toBeInstanceOf(TypeError);
    await expect(refused).rejects.toMatchObject({
      code: expect.stringMatching(/^ERR_INVALID_ARG_(TYPE|VALUE)$/),
    });
    await expectUnchanged(before);
  });
});
