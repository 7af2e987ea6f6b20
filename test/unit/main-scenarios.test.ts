import { describe, expect, it } from 'vitest';
import { resolveConfig } from '../../lib/config/manager.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import { NetworkManager } from '../../lib/network-manager.ts';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import { expectRefusal } from '../support/refusal.ts';
import { type Answer, golden, systemError } from './cni/fakes.ts';
import { FakeHost, goldenHostLink, goldenId } from './fake-host.ts';

const path = '/etc/cni/basic.conflist';
const chain = ['bridge', 'tc-redirect-tap'] as const;
/** The recorded chain ran for this container. */
const options = { containerId: goldenId };

async function open(host: FakeHost, more: NetworkManagerOptions = { conflist: path }) {
  host.files.files.set(path, golden('basic/basic.conflist'));
  const pluginDirs = ['/plugins'];
  const config = resolveConfig({ backend: 'cni', pluginDirs, verify: 'off', ...more });
  return NetworkManager.openOn(host, config);
}

async function opened() {
  const host = new FakeHost();
  return { host, manager: await open(host), nothing: host.left };
}

/** The runs of plugins since `begin`. */
const runs = ({ runner }: FakeHost, begin = 0) => runner.order.slice(begin);

describe('conflist structure', () => {
  it('is bridge, host-local and tc-redirect-tap, marked as ours, and written once', async () => {
    const host = new FakeHost();
    await open(host, {});
    const file = '/etc/cni/conf.d/fcnet.conflist';
    const text = host.files.files.get(file) ?? '';
    expect(JSON.parse(text)).toMatchObject({
      ...{ cniVersion: '1.0.0', name: 'fcnet', generated: { by: 'vulcan-net' } },
      plugins: [
        {
          ...{ type: 'bridge', bridge: 'fcbr0', isGateway: true, capabilities: { mac: true, ips: true } },
          ipam: {
            ...{ type: 'host-local', dataDir: '/run/cni/networks', routes: [{ dst: '0.0.0.0/0' }] },
            ranges: [[{ subnet: '10.168.0.0/24', gateway: '10.168.0.1' }]],
          },
        },
        { type: 'tc-redirect-tap' },
      ],
    });
    host.files.fail = (operation) => (operation === 'write' ? new Error('written again') : null);
    await open(host, {});
    expect(host.files.files.get(file)).toBe(text);
  });
});

describe('set-up', () => {
  it('runs the chain in the VM’s namespace, and gives what the plugins gave', async () => {
    const { host, manager } = await opened();
    const net = await manager.setup('vm-1', options);
    expect(net).toEqual({
      origin: 'cold',
      ...{ vmId: 'vm-1', network: 'cnrbasic', backend: 'cni', containerId: goldenId, ifName: 'eth0' },
      ...{ tapName: 'tap0', mac: '32:0d:c4:e3:fc:91', mtu: 1500, netnsPath: '/var/run/netns/vulcan-vm-1' },
      addresses: [{ family: 4, ip: '10.78.1.2', prefixLength: 24, gateway: '10.78.1.1' }],
      ...{ guestIp: '10.78.1.2', gatewayIp: '10.78.1.1', prefixLength: 24 },
      routes: [{ destination: '0.0.0.0/0', gateway: null }],
      dns: { nameservers: [], domain: null, search: [], options: [] },
      result: JSON.parse(golden('basic/add-result.json')),
    });
    expect(runs(host)).toEqual(['ADD bridge', 'ADD tc-redirect-tap']);
    expect(host.runner.seen[0]?.env).toMatchObject({
      ...{ CNI_CONTAINERID: goldenId, CNI_IFNAME: 'eth0', CNI_NETNS: '/var/run/netns/vulcan-vm-1' },
      CNI_ARGS: expect.stringContaining('TC_REDIRECT_TAP_NAME=tap0'),
    });
    expect(host.links.get(goldenHostLink)?.alias).toBe(`vulcan-net cnrbasic ${goldenId} eth0`);
    expect(host.left).toContain(`/results/cnrbasic-${goldenId}-eth0`);
  });

  it('of a VM that has its network is refused, and touches nothing', async () => {
    const { host, manager } = await opened();
    await manager.setup('vm-1', options);
    const before = host.left;
    await expectRefusal(manager.setup('vm-1', options), 'ERR_ATTACHMENT_EXISTS', 'tear it down first');
    expect(host.left).toBe(before);
    expect(runs(host)).toEqual(['ADD bridge', 'ADD tc-redirect-tap']);
  });
});

describe('teardown', () => {
  it('cuts first, then runs the chain backwards, and leaves nothing', async () => {
    const { host, manager, nothing } = await opened();
    await manager.setup('vm-1', options);
    let cutAfter = 0;
    host.refuse = ({ cut }) => {
      if (cut === true) cutAfter = runs(host).length;
      return null;
    };
    await manager.teardown('vm-1');
    expect(cutAfter).toBe(2);
    expect(runs(host, 2)).toEqual(['DEL tc-redirect-tap', 'DEL bridge']);
    expect(JSON.parse(host.runner.seen[2]?.stdin ?? '')).toMatchObject({
      prevResult: JSON.parse(golden('basic/add-result.json')),
    });
    expect(host.left).toBe(nothing);
  });

  it('keeps everything of a VM that cannot be cut off', async () => {
    const { host, manager, nothing } = await opened();
    await manager.setup('vm-1', options);
    const before = host.left;
    host.refuse = ({ cut }) => (cut === true ? systemError('EPERM') : null);
    await expectRefusal(manager.teardown('vm-1'), 'ERR_LINK_CUT', 'its address stays taken');
    expect(host.left).toBe(before);
    expect(runs(host, 2)).toEqual([]);
    host.refuse = null;
    await manager.teardown('vm-1');
    expect(host.left).toBe(nothing);
  });
});

describe('double teardown', () => {
  it('does nothing the second time, and nothing for a VM that never was', async () => {
    const { host, manager, nothing } = await opened();
    await manager.teardown('vm-1');
    await manager.setup('vm-1', options);
    await manager.teardown('vm-1');
    const ran = runs(host).length;
    await manager.teardown('vm-1');
    expect(runs(host)).toHaveLength(ran);
    expect(host.left).toBe(nothing);
  });
});

describe('verification', () => {
  it('with plugins present finds each, its path and its versions', async () => {
    const { manager } = await opened();
    const { ok, plugins } = await manager.verify();
    expect(ok).toBe(true);
    expect(plugins.map(({ type, path: file }) => [type, file])).toEqual([
      ['bridge', '/plugins/bridge'],
      ['tc-redirect-tap', '/plugins/tc-redirect-tap'],
      ['host-local', '/plugins/host-local'],
    ]);
    for (const { versions } of plugins) expect(versions).toContain('1.0.0');
  });

  it('with plugins missing names each, and open can make that an error', async () => {
    const host = new FakeHost();
    host.runner.missing.add('host-local');
    const { ok, findings } = await (await open(host)).verify();
    expect(ok).toBe(false);
    expect(findings.filter(({ severity }) => severity === 'error')).toMatchObject([
      { id: 'plugin.missing', message: 'plugin host-local is in none of /plugins, /package/plugins' },
    ]);
    const strict = open(host, { conflist: path, verify: 'throw' });
    await expectRefusal(strict, 'ERR_VERIFY', 'apt-get install containernetworking-plugins');
  });
});

describe('NAT', () => {
  it('asked for twice is one and the same', async () => {
    const host = new FakeHost();
    for (let round = 0; round < 2; round++) await open(host, {});
    const [first, second] = host.firewallPlans;
    expect(second).toEqual(first);
    expect(first).toMatchObject({ masquerade: true, subnets: ['10.168.0.0/24'], bridges: ['fcbr0'] });
    expect([...host.firewall.keys()]).toEqual(['fcnet']);
  });
});

describe('no leak after a failure', () => {
  const failures: readonly (readonly [title: string, Answer, ErrorCode])[] = [
    ['reports an error', { exitCode: 1, stdout: golden('errors/tap-noprev.out') }, 'ERR_PLUGIN_FAILED'],
    [
      'finds no address',
      { exitCode: 1, stdout: golden('errors/hl-add2full.out') },
      'ERR_ADDRESSES_EXHAUSTED',
    ],
    ['fails silently', { exitCode: 1 }, 'ERR_PLUGIN_SILENT'],
    ['prints garbage', 'tap0 is up', 'ERR_PLUGIN_OUTPUT_INVALID'],
    ['hangs', { exitCode: null, timedOut: true, signal: 'SIGKILL' }, 'ERR_PLUGIN_TIMEOUT'],
    ['is killed', { exitCode: null, signal: 'SIGKILL' }, 'ERR_PLUGIN_KILLED'],
  ];
  const cases = chain.flatMap((type) => failures.map((failure) => [type, ...failure] as const));

  it.each(cases)('of %s, which %s', async (type, _title, answer, code) => {
    const { host, manager, nothing } = await opened();
    host.plugins.misbehave = (seen) => (seen.type === type && seen.command === 'ADD' ? answer : null);
    await expectRefusal(manager.setup('vm-1', options), code, type, {
      ...{ operation: 'setup', vmId: 'vm-1', rolledBack: true, step: `plugin:${type} ADD` },
    });
    expect(host.left).toBe(nothing);
  });

  it('of the record, which cannot be written', async () => {
    const { host, manager, nothing } = await opened();
    host.files.fail = (operation) => (operation === 'write' ? systemError('ENOSPC') : null);
    await expectRefusal(manager.setup('vm-1', options), 'ERR_RECORD_WRITE', 'ENOSPC', {
      ...{ rolledBack: true, step: 'record' },
    });
    expect(runs(host)).toEqual(['ADD bridge', 'ADD tc-redirect-tap', 'DEL tc-redirect-tap', 'DEL bridge']);
    expect(host.left).toBe(nothing);
  });

  it('of which the undo fails too: that is said, and a teardown finds what is left', async () => {
    const { host, manager, nothing } = await opened();
    const refused = systemError('EMFILE');
    host.files.fail = (operation) => {
      if (operation !== 'write') return null;
      host.runner.unreadable = refused;
      return refused;
    };
    await expectRefusal(manager.setup(goldenId), 'ERR_DESCRIPTORS', 'EMFILE', {
      ...{
        rolledBack: false,
        step: 'record',
        errors: [expect.objectContaining({ code: 'ERR_DESCRIPTORS' })],
      },
    });
    expect(host.released).toContainEqual({ name: goldenId, remove: false });
    expect(runs(host)).toEqual(['ADD bridge', 'ADD tc-redirect-tap']);
    host.runner.unreadable = null;
    await manager.teardown(goldenId);
    expect(host.left).toBe(nothing);
  });

  it('of which the undo fails too, of a set-up that was aborted', async () => {
    const { host, manager } = await opened();
    const controller = new AbortController();
    host.refuse = ({ alias }) => {
      if (alias === undefined) return null;
      host.runner.unreadable = systemError('EMFILE');
      controller.abort();
      return null;
    };
    const setup = manager.setup(goldenId, { signal: controller.signal });
    await expect(setup).rejects.toMatchObject({ name: 'AbortError', rolledBack: false });
    expect(host.released).toContainEqual({ name: goldenId, remove: false });
  });
});

describe('a teardown while the VMM still runs', () => {
  it('cuts the VM off by the link on the host, which the VMM cannot hold; then its address is free', async () => {
    const { host, manager } = await opened();
    await manager.setup('vm-1', options);
    await manager.teardown('vm-1');
    expect(host.changes.at(-1)).toMatchObject({ name: goldenHostLink, cut: true });
    expect((await manager.setup('vm-2', options)).guestIp).toBe('10.78.1.2');
  });
});
