import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../lib/config/manager.ts';
import { resolveGc, resolveSetup, resolveTeardown, resolveVmId } from '../../lib/config/verbs.ts';
import { isNetworkError } from '../../lib/errors.ts';

function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

/** `ERR_...` of a NetworkError, or the name of any other. */
function outcome(work: () => unknown): string {
  const error = thrownBy(work);
  return isNetworkError(error) ? error.code : (error as Error).name;
}

describe('resolveConfig', () => {
  it('has a default for everything', () => {
    expect(resolveConfig({})).toEqual({
      backend: 'native',
      pools: [],
      source: {
        kind: 'generated',
        network: 'fcnet',
        layout: 'bridge',
        bridge: 'fcbr0',
        bridgeCount: 1,
        portsPerBridge: 256,
        subnet: '10.168.0.0/24',
        gateway: '10.168.0.1',
        ranges: [],
        hairpin: false,
        isolated: false,
        promiscuous: false,
        mtu: null,
        dns: { nameservers: [], domain: null, search: [], options: [] },
        routes: [{ destination: '0.0.0.0/0', gateway: null }],
        confDir: '/etc/cni/conf.d',
        addressDir: '/run/cni/networks',
      },
      pluginDirs: ['/opt/cni/bin', '/usr/lib/cni'],
      stateDir: '/run/cni',
      netnsDir: '/var/run/netns',
      ifName: 'eth0',
      hostAccess: [],
      allowLinkLocal: false,
      masquerade: true,
      antiSpoofing: true,
      verify: 'warn',
      shutdown: 'teardown',
      signals: [],
      logger: null,
      timeoutMs: 60_000,
      pluginTimeoutMs: 20_000,
    });
  });

  it('takes ranges with the gateway and more, and routes of the family of the network', () => {
    const start = '10.168.0.1';
    for (const ranges of [
      [{ start, end: '10.168.0.2' }],
      [
        { start, end: start },
        { start: '10.168.0.9', end: '10.168.0.9' },
      ],
    ])
      expect(resolveConfig({ ranges }).source).toMatchObject({ ranges });
    const routes = [{ destination: 'fd00::/8', gateway: 'fd78::9' }];
    expect(resolveConfig({ subnet: 'fd78::/64', routes }).source).toMatchObject({ routes });
    const mixed = { subnet: 'fd78::/64', routes: [{ destination: '0.0.0.0/0' }] };
    expect(outcome(() => resolveConfig(mixed))).toBe('ERR_OPTION_INVALID');
    const atGateway = { gateway: '10.168.0.9', ranges: [{ start: '10.168.0.9', end: '10.168.0.9' }] };
    expect(outcome(() => resolveConfig(atGateway))).toBe('ERR_OPTION_INVALID');
  });

  it("keeps the cni backend's records where libcni keeps its own", () => {
    expect(resolveConfig({ backend: 'cni' })).toMatchObject({ backend: 'cni', stateDir: '/var/lib/cni' });
    expect(resolveConfig({ backend: 'cni', stateDir: '/run/x' })).toMatchObject({ stateDir: '/run/x' });
  });

  it('refuses ranges that share an address, and a hairpin on a promiscuous bridge', () => {
    const ranges = [
      { start: '10.168.0.2', end: '10.168.0.9' },
      { start: '10.168.0.9', end: '10.168.0.20' },
    ];
    expect(outcome(() => resolveConfig({ ranges }))).toBe('ERR_OPTION_INVALID');
    expect(outcome(() => resolveConfig({ hairpin: true, promiscuous: true }))).toBe('ERR_OPTION_INVALID');
  });

  it('refuses a pool that makes no sense, and one for plugins', () => {
    const refused = [
      { pool: { min: 3, max: 2 } },
      { pool: { min: -1, max: 2 } },
      { pool: { min: 0, max: 0 } },
      { pool: { min: 1, max: 2 }, backend: 'cni' },
      { pool: [1, 2].map((max) => ({ min: 1, max })) },
    ];
    for (const options of refused) expect(outcome(() => resolveConfig(options))).toBe('ERR_OPTION_INVALID');
    const taken = { pool: { min: 1, max: 2, tapName: 'eth0' } };
    expect(outcome(() => resolveConfig(taken))).toBe('ERR_LINK_NAME_INVALID');
    const tapOwner = { uid: 1, gid: 2 };
    const pools = [{ min: 1, max: 2, tapName: 'tap0', tapOwner }];
    expect(resolveConfig({ pool: { min: 1, max: 2, tapOwner } })).toMatchObject({ pools });
  });

  it('takes undefined for absence', () => {
    expect(resolveConfig({ subnet: undefined, logger: undefined })).toEqual(resolveConfig({}));
  });

  it('derives gateway and default route of an IPv6 network', () => {
    expect(resolveConfig({ subnet: 'FD78:0:0::/64' }).source).toMatchObject({
      subnet: 'fd78::/64',
      gateway: 'fd78::1',
      routes: [{ destination: '::/0', gateway: null }],
    });
  });

  it('leaves to a conflist of the user what the conflist says', () => {
    expect(resolveConfig({ conflist: '/etc/cni/mine.conflist', network: 'mine' }).source).toEqual({
      kind: 'own',
      path: '/etc/cni/mine.conflist',
      network: 'mine',
    });
  });

  it('has as many bridges as the subnet has room for, and no more than the firewall is told of', () => {
    const bridgesOf = (options: object) => {
      const { source } = resolveConfig({ layout: 'bridges', ...options });
      return source.kind === 'generated' ? source.bridgeCount : null;
    };
    expect(bridgesOf({})).toBe(1);
    expect(bridgesOf({ subnet: '10.168.0.0/20' })).toBe(16);
    expect(bridgesOf({ subnet: '10.168.0.0/20', portsPerBridge: 1_023 })).toBe(5);
    expect(bridgesOf({ subnet: '10.168.0.0/29', portsPerBridge: 1 })).toBe(5);
    expect(bridgesOf({ subnet: '10.0.0.0/8' })).toBe(256);
  });

  it.each([
    ['ERR_OPTION_INVALID', { layout: 'bridges', backend: 'cni' }, "backend: 'native'"],
    ['ERR_OPTION_INVALID', { layout: 'bridges', subnet: 'fd78::/64' }, 'IPv4'],
    ['ERR_OPTION_INVALID', { layout: 'ring' }, 'none of'],
    ['ERR_OPTION_INVALID', { layout: 'routed', hairpin: true }, 'bridges'],
    ['ERR_OPTION_INVALID', { layout: 'routed', backend: 'cni' }, "backend: 'native'"],
    ['ERR_OPTION_INVALID', { layout: 'routed', portsPerBridge: 2 }, "layout: 'bridges'"],
    ['ERR_OPTION_INVALID', { portsPerBridge: 100 }, "layout: 'bridges'"],
    ['ERR_OPTION_INVALID', { layout: 'bridges', portsPerBridge: 1_024 }, '1 to 1023'],
    [
      'ERR_LINK_NAME_INVALID',
      { layout: 'bridges', subnet: '10.168.0.0/16', bridge: 'twelve-bytes' },
      'twelve-bytes-255',
    ],
  ])('answers %s to %j, and says what to do', (code, options, says) => {
    const error = thrownBy(() => resolveConfig(options));
    expect(error).toMatchObject({ code, message: expect.stringContaining(says) });
  });

  it.each([
    ['layout', 'bridges'],
    ['portsPerBridge', 100],
    ['bridge', 'br0'],
    ['subnet', '10.1.0.0/24'],
    ['gateway', '10.1.0.1'],
    ['mtu', 1400],
    ['ranges', []],
    ['hairpin', false],
    ['isolated', false],
    ['promiscuous', false],
    ['dns', {}],
    ['routes', []],
    ['confDir', '/etc/cni/conf.d'],
    ['addressDir', '/run/cni/networks'],
  ])('refuses %s beside a conflist', (name, value) => {
    const error = thrownBy(() => resolveConfig({ conflist: '/a.conflist', [name]: value }));
    expect(error).toMatchObject({ code: 'ERR_OPTION_INVALID', message: expect.stringContaining(name) });
  });

  it.each([
    ['subnet', '10.168.0.5/24', 'ERR_SUBNET_INVALID'],
    ['subnet', '10.168.0.0', 'ERR_SUBNET_INVALID'],
    ['subnet', 'fd78::1/64', 'ERR_SUBNET_INVALID'],
    ['subnet', '10.168.0.0/31', 'ERR_SUBNET_TOO_SMALL'],
    ['subnet', 'fd78::/127', 'ERR_SUBNET_TOO_SMALL'],
    ['gateway', '10.169.0.1', 'ERR_GATEWAY_OUTSIDE'],
    ['gateway', '10.168.0.0', 'ERR_GATEWAY_OUTSIDE'],
    ['gateway', '10.168.0.255', 'ERR_GATEWAY_OUTSIDE'],
    ['gateway', 'fd78::1', 'ERR_GATEWAY_OUTSIDE'],
    ['gateway', '10.168.0', 'ERR_OPTION_INVALID'],
    ['bridge', 'a-bridge-of-16-b', 'ERR_LINK_NAME_INVALID'],
    ['bridge', '', 'ERR_LINK_NAME_INVALID'],
    ['bridge', 'br/0', 'ERR_LINK_NAME_INVALID'],
    ['bridge', 'br 0', 'ERR_LINK_NAME_INVALID'],
    ['bridge', 'br%d', 'ERR_LINK_NAME_INVALID'],
    ['ifName', '..', 'ERR_LINK_NAME_INVALID'],
    ['ifName', 'lo', 'ERR_LINK_NAME_INVALID'],
    ['ifName', 'all', 'ERR_LINK_NAME_INVALID'],
    ['network', '../etc', 'ERR_OPTION_INVALID'],
    ['network', '', 'ERR_OPTION_INVALID'],
    ['network', 'n'.repeat(101), 'ERR_OPTION_INVALID'],
    ['backend', 'docker', 'ERR_OPTION_INVALID'],
    ['mtu', 67, 'ERR_OPTION_INVALID'],
    ['mtu', 65_522, 'ERR_OPTION_INVALID'],
    ['mtu', 1400.5, 'ERR_OPTION_INVALID'],
    ['timeoutMs', 0, 'ERR_OPTION_INVALID'],
    ['timeoutMs', 2 ** 31, 'ERR_OPTION_INVALID'],
    ['pluginTimeoutMs', -1, 'ERR_OPTION_INVALID'],
    ['stateDir', 'var/lib/cni', 'ERR_OPTION_INVALID'],
    ['stateDir', '/var/lib\0/cni', 'ERR_OPTION_INVALID'],
    ['pluginDirs', ['/opt/a:b'], 'ERR_OPTION_INVALID'],
    ['pluginDirs', ['cni'], 'ERR_OPTION_INVALID'],
    ['routes', [{ destination: '10.0.0.1/8' }], 'ERR_OPTION_INVALID'],
    ['routes', [{ destination: '10.0.0.0/8', gateway: 'here' }], 'ERR_OPTION_INVALID'],
    ['dns', { nameservers: ['dns.example'] }, 'ERR_OPTION_INVALID'],
    ['dns', { domain: 'example.org\0' }, 'ERR_OPTION_INVALID'],
    ['dns', { domain: 'example.org\nnameserver 192.0.2.1' }, 'ERR_OPTION_INVALID'],
    ['dns', { search: ['example.org', 'a\rb'] }, 'ERR_OPTION_INVALID'],
    ['dns', { options: ['ndots:1\n'] }, 'ERR_OPTION_INVALID'],
    ['ranges', [{ start: '10.168.1.2', end: '10.168.1.9' }], 'ERR_OPTION_INVALID'],
    ['ranges', [{ start: '10.168.0.0', end: '10.168.0.9' }], 'ERR_OPTION_INVALID'],
    ['ranges', [{ start: '10.168.0.9', end: '10.168.0.2' }], 'ERR_OPTION_INVALID'],
    ['ranges', [{ start: '10.168.0.1', end: '10.168.0.1' }], 'ERR_OPTION_INVALID'],
    ['routes', [{ destination: '::/0' }], 'ERR_OPTION_INVALID'],
    ['routes', [{ destination: '0.0.0.0/0' }, { destination: 'fd00::/8' }], 'ERR_OPTION_INVALID'],
    ['routes', [{ destination: '10.0.0.0/8', gateway: 'fd00::1' }], 'ERR_OPTION_INVALID'],
    ['routes', [{ destination: 'fd00::/8', gateway: '10.168.0.1' }], 'ERR_OPTION_INVALID'],
    ['hostAccess', 'some', 'ERR_OPTION_INVALID'],
    ['hostAccess', [{ protocol: 'icmp', port: 1 }], 'ERR_OPTION_INVALID'],
    ['hostAccess', [{ protocol: 'tcp', port: 65_536 }], 'ERR_OPTION_INVALID'],
    ['verify', 'maybe', 'ERR_OPTION_INVALID'],
    ['shutdown', 'destroy', 'ERR_OPTION_INVALID'],
    ['signals', ['SIGKILL'], 'ERR_OPTION_INVALID'],
  ])('%s %j is %s', (name, value, code) => {
    const error = thrownBy(() => resolveConfig({ [name]: value }));
    expect(error).toMatchObject({ name: 'NetworkError', code, message: expect.stringContaining(name) });
  });

  it.each([
    ['subnet', 10],
    ['mtu', '1500'],
    ['mtu', Number.NaN],
    ['verify', true],
    ['backend', 5],
    ['hostAccess', 5],
    ['hostAccess', [{ protocol: 'tcp', port: '80' }]],
    ['hostAccess', [{ protocol: 'tcp', port: 80, host: true }]],
    ['pluginDirs', '/opt/cni/bin'],
    ['masquerade', 'yes'],
    ['signals', 'SIGTERM'],
    ['logger', { info() {} }],
    ['logger', { debug: null, info() {}, warn() {}, error() {} }],
    ['dns', { servers: [] }],
    ['brigde', 'fcbr0'],
  ])('%s %j is a TypeError', (name, value) => {
    expect(outcome(() => resolveConfig({ [name]: value }))).toBe('TypeError');
  });

  it.each([null, undefined, 5, 'fcnet', []])('%j for options is a TypeError', (options) => {
    expect(outcome(() => resolveConfig(options))).toBe('TypeError');
  });
});

it('hostAccess of another word says what it may be', () => {
  expect(() => resolveConfig({ hostAccess: 'none' })).toThrow(
    'hostAccess "none" is neither "all" nor a list of { protocol, port }',
  );
});

describe('resolveVmId', () => {
  it.each(['a', 'vm-1', '0.a_B', 'v'.repeat(64)])('takes %s', (vmId) => {
    expect(resolveVmId(vmId)).toBe(vmId);
  });

  it.each(['', 'v'.repeat(65), 'a/b', '..', '.a', 'a\0', 'a b', '-a', 'a\n', 'ä'])('refuses %j', (vmId) => {
    expect(outcome(() => resolveVmId(vmId))).toBe('ERR_VM_ID_INVALID');
  });

  it.each([undefined, null, 5, {}])('%j is a TypeError', (vmId) => {
    expect(outcome(() => resolveVmId(vmId))).toBe('TypeError');
  });
});

describe('resolveSetup', () => {
  it('has defaults', () => {
    expect(resolveSetup({}, 'vm-1', 'eth0')).toEqual({
      ...{ mac: null, address: null, tapOwner: null, tapName: 'tap0', containerId: 'vm-1' },
    });
  });

  it('spells a MAC as the kernel does', () => {
    expect(resolveSetup({ mac: '02:AB:00:00:00:01' }, 'vm-1', 'eth0').mac).toBe('02:ab:00:00:00:01');
  });

  it.each([
    [{ mac: '02:00:00:00:00' }, 'ERR_MAC_INVALID'],
    [{ mac: '02-00-00-00-00-01' }, 'ERR_MAC_INVALID'],
    [{ mac: '03:00:00:00:00:01' }, 'ERR_MAC_INVALID'],
    [{ mac: '00:00:00:00:00:00' }, 'ERR_MAC_INVALID'],
    [{ tapName: 'a-tap-of-16-byte' }, 'ERR_LINK_NAME_INVALID'],
    [{ tapName: 'tap%d' }, 'ERR_LINK_NAME_INVALID'],
    [{ tapName: 'net0' }, 'ERR_LINK_NAME_INVALID'],
    [{ tapName: 'lo' }, 'ERR_LINK_NAME_INVALID'],
    [{ tapName: 'default' }, 'ERR_LINK_NAME_INVALID'],
    [{ containerId: '-c' }, 'ERR_OPTION_INVALID'],
    [{ tapOwner: { uid: -1, gid: 0 } }, 'ERR_OPTION_INVALID'],
    [{ tapOwner: { uid: 0, gid: 2 ** 32 - 1 } }, 'ERR_OPTION_INVALID'],
    [{ timeoutMs: 0 }, 'ERR_OPTION_INVALID'],
    [{ mac: 2 }, 'TypeError'],
    [{ tapOwner: { uid: 0 } }, 'TypeError'],
    [{ signal: {} }, 'TypeError'],
    [{ tap: 'tap0' }, 'TypeError'],
    [null, 'TypeError'],
  ])('%j gets %s', (options, expected) => {
    expect(outcome(() => resolveSetup(options, 'vm-1', 'net0'))).toBe(expected);
  });
});

it('resolveTeardown waits only when told to', () => {
  expect(resolveTeardown({})).toEqual({ wait: false });
  expect(outcome(() => resolveTeardown({ wait: 1 }))).toBe('TypeError');
});

it('resolveGc must be told what to keep', () => {
  expect(resolveGc({ keep: ['vm-1'] })).toEqual({ keep: ['vm-1'] });
  expect(outcome(() => resolveGc({}))).toBe('TypeError');
  expect(outcome(() => resolveGc({ keep: ['a/b'] }))).toBe('ERR_VM_ID_INVALID');
});
