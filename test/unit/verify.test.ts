import { describe, expect, it } from 'vitest';
import { NetworkError } from '../../lib/errors.ts';
import { firewallNetwork } from '../../lib/firewall.ts';
import type { ExecPlan, ExecResult } from '../../lib/native/exec.ts';
import type { VerifyBinding, VerifySubject } from '../../lib/verify/subject.ts';
import { verify } from '../../lib/verify/verify.ts';

const spoken = (versions: readonly string[]): string =>
  JSON.stringify({ cniVersion: '1.0.0', supportedVersions: versions });

const answer = (stdout: string, more: Partial<ExecResult> = {}): ExecResult => ({
  ...{ exitCode: 0, signal: null, stdout, stderr: '', durationMs: 1 },
  ...{ timedOut: false, cancelled: false, stdoutOverflow: false, ...more },
});

const unused = (name: string) => async (): Promise<never> => {
  throw new Error(`verify has no business with ${name}`);
};

/** A host on which all is well; `files` says which plugins are where. */
function host(files: Readonly<Record<string, string>>, more: Partial<VerifyBinding> = {}): VerifyBinding {
  return {
    cancel: () => {},
    exec: async (_plan: ExecPlan) => answer(spoken(['0.4.0', '1.0.0'])),
    fileFind: async ({ directories, name }) => {
      const directory = directories.find((candidate) => files[name] === candidate);
      return directory === undefined ? null : { path: `${directory}/${name}`, executable: true };
    },
    probe: async () => [{ feature: 'u32', ok: true, error: null, syscall: null }],
    capabilities: async () => '000001ffffffffff',
    descriptorLimit: async () => ({ most: 1024, kept: 128 }),
    sysctlRead: async () => '1',
    dump: async () => ({ links: [], addresses: [], routes: [], qdiscs: [], filters: [] }),
    mountState: async () => ({ hostMountNamespace: true, shared: true }),
    foreignChains: async () => [],
    legacyForeignChains: async () => [],
    firewallCheck: async () => [],
    guardCheck: async () => [],
    isHostNamespace: unused('namespaces'),
    ...more,
  };
}

const allThere = { bridge: '/cni', 'host-local': '/cni', 'tc-redirect-tap': '/package/plugins' };

const firewall = firewallNetwork({
  ...{ network: 'fcnet', bridges: ['fcbr0'], subnets: [{ subnet: '10.168.0.0/24', gateway: '10.168.0.1' }] },
  ...{ masquerade: true, isolated: false, allowLinkLocal: false, hostAccess: [] },
});

function subject(binding: VerifyBinding, more: Partial<VerifySubject> = {}): VerifySubject {
  return {
    binding,
    backend: 'cni',
    pluginTypes: ['bridge', 'host-local', 'tc-redirect-tap'],
    cniVersion: '1.0.0',
    chain: { runner: binding, pluginDirs: ['/cni', '/package/plugins'], timeoutMs: 1_000, environment: {} },
    status: null,
    bundledPluginDir: '/package/plugins',
    netnsDir: '/var/run/netns',
    firewall,
    bridges: [],
    unreachable: [],
    hostRoutes: false,
    guard: 'bridge',
    recycles: true,
    mostSlots: 896,
    ...more,
  };
}

const idsOf = async (wanted: VerifySubject): Promise<string[]> =>
  (await verify(wanted)).findings
    .filter(({ severity }) => severity !== 'notice')
    .map(({ id, severity }) => `${severity} ${id}`);

describe('verify', () => {
  it('finds nothing wrong where all plugins are present, and says which tc-redirect-tap it is', async () => {
    const report = await verify(subject(host(allThere)));
    expect(report.ok).toBe(true);
    expect(report.findings.map(({ id }) => id)).toEqual(['plugin.tc-redirect-tap']);
    expect(report.plugins).toEqual([
      { type: 'bridge', path: '/cni/bridge', bundled: false, versions: ['0.4.0', '1.0.0'] },
      { type: 'host-local', path: '/cni/host-local', bundled: false, versions: ['0.4.0', '1.0.0'] },
      {
        type: 'tc-redirect-tap',
        path: '/package/plugins/tc-redirect-tap',
        bundled: true,
        versions: ['0.4.0', '1.0.0'],
      },
    ]);
  });

  it('names each missing plugin, the directories searched, and how to get it', async () => {
    const report = await verify(subject(host({ bridge: '/cni' })));
    expect(report.ok).toBe(false);
    const missing = report.findings.filter(({ id }) => id === 'plugin.missing');
    expect(missing.map(({ message }) => message)).toEqual([
      'plugin host-local is in none of /cni, /package/plugins',
      'plugin tc-redirect-tap is in none of /cni, /package/plugins',
    ]);
    expect(missing[0]?.remedy).toContain('containernetworking-plugins');
    expect(missing[1]?.remedy).toContain('npm rebuild vulcan-net');
    expect(String(report)).toContain('error: plugin host-local is in none of');
  });

  it('takes a configuration without a version for one of 0.1.0', async () => {
    const exec = async () => answer(spoken(['0.1.0']));
    expect(await idsOf(subject(host(allThere, { exec }), { cniVersion: '' }))).toEqual([]);
  });

  it('says which plugins are not ready, of those that can be asked at all', async () => {
    const notReady = (type: string) =>
      new NetworkError('ERR_PLUGIN_FAILED', 'no', {
        plugin: { type, command: 'STATUS', code: 50, msg: 'no pool', details: `for ${type}` },
      });
    const status = async () => [notReady('bridge'), notReady('tc-redirect-tap')];
    const { findings } = await verify(subject(host({ bridge: '/cni', 'host-local': '/cni' }), { status }));
    expect(findings.filter(({ id }) => id === 'plugin.status')).toEqual([
      {
        ...{ id: 'plugin.status', severity: 'error' },
        message: 'plugin bridge is not ready: no pool; for bridge',
        remedy: 'mend what bridge says, or set-ups will fail: no pool; for bridge',
      },
    ]);
  });

  it('only notices plugins that the backend does not need', async () => {
    expect(await idsOf(subject(host({}), { backend: 'native' }))).toEqual([]);
  });

  it('starts no plugin for what set-ups need that start none', async () => {
    const exec = unused('plugins');
    const report = await verify(subject(host(allThere, { exec }), { backend: 'native' }), 'means');
    expect([report.findings, report.plugins]).toEqual([[], []]);
  });

  it('rejects when the signal aborts in the midst of what does not heed it', async () => {
    const controller = new AbortController();
    const probe = async () => {
      controller.abort('enough');
      return [];
    };
    const aborted = verify(subject(host(allThere, { probe }), { signal: controller.signal }), 'means');
    await expect(aborted).rejects.toMatchObject({ name: 'AbortError', cause: 'enough' });
  });

  it.each([
    ['speaks another version', { exec: async () => answer(spoken(['0.4.0'])) }, 'error plugin.version'],
    ['prints garbage', { exec: async () => answer('hello') }, 'error plugin.unusable'],
    [
      'is not executable',
      {
        exec: async () => {
          throw Object.assign(new Error('EACCES'), { code: 'EACCES', errno: -13, syscall: 'execve' });
        },
      },
      'error plugin.not-executable',
    ],
  ])('tells when a plugin %s', async (_what, more, expected) => {
    const ids = await idsOf(subject(host(allThere, more), { pluginTypes: ['bridge'] }));
    expect(ids).toEqual([expected]);
  });

  it.each([
    [{ feature: 'u32', error: 'ENOENT' }, 'error kernel.u32', /CONFIG_NET_CLS_U32/],
    [{ feature: 'tap', error: 'ENOENT' }, 'error device.tun', /mknod \/dev\/net\/tun/],
    [{ feature: 'tap', error: 'EACCES' }, 'error device.tun', /chmod 0666 \/dev\/net\/tun/],
    [{ feature: 'netns', error: 'EPERM' }, 'error kernel.netns', /CAP_SYS_ADMIN/],
    [
      { feature: 'netns', error: 'ENOSPC', syscall: 'unshare' },
      'error kernel.netns',
      /user\.max_net_namespaces.*fs\.mount-max/,
    ],
  ])('turns a failed probe (%o) into a finding with a remedy', async (failed, expected, remedy) => {
    const probe = async () => [{ ok: false, syscall: 'open', ...failed }];
    const report = await verify(subject(host(allThere, { probe })));
    const [found] = report.findings.filter(({ severity }) => severity === 'error');
    expect(`${found?.severity} ${found?.id}`).toBe(expected);
    expect(found?.remedy).toMatch(remedy);
  });

  it.each([
    ['guard_bridge', { guard: 'bridge' }, ['error kernel.guard_bridge'], /NF_TABLES_BRIDGE.*antiSpoofing/],
    ['guard_bridge', { guard: 'routed' }, [], null],
    ['guard_routed', { guard: 'routed' }, ['error kernel.guard_routed'], /NF_TABLES_ARP.*antiSpoofing/],
    ['guard_routed', { guard: 'bridge' }, [], null],
    ['guard_routed', { guard: null }, [], null],
    ['conntrack_netlink', { recycles: true }, ['warning kernel.conntrack_netlink'], /NF_CT_NETLINK.*slot/],
    [
      'conntrack_netlink',
      { recycles: false },
      ['warning kernel.conntrack_netlink'],
      /NF_CT_NETLINK.*answers/,
    ],
  ] as const)('tells of %s where %o needs it', async (feature, needs, expected, remedy) => {
    const probe = async () => [{ feature, ok: false, error: 'EOPNOTSUPP', syscall: 'netlink' }];
    const { findings } = await verify(subject(host(allThere, { probe }), needs));
    const found = findings.filter(({ severity }) => severity !== 'notice');
    expect(found.map(({ id, severity }) => `${severity} ${id}`)).toEqual(expected);
    if (remedy !== null) expect(found[0]?.remedy).toMatch(remedy);
  });

  it('warns of slots that are not used again for want of CAP_SYS_PTRACE, where a pool recycles', async () => {
    const capabilities = async () => '0000000000201000';
    const binding = host(allThere, { capabilities });
    expect(await idsOf(subject(binding))).toEqual(['warning capability.recycle']);
    expect(await idsOf(subject(binding, { recycles: false }))).toEqual([]);
  });

  it('warns of more slots than the process may have descriptors, but for those that no slot takes', async () => {
    const binding = host(allThere);
    expect(await idsOf(subject(binding, { mostSlots: 896 }))).toEqual([]);
    expect(await idsOf(subject(binding, { mostSlots: 897 }))).toEqual(['warning pool.descriptors']);
    const descriptorLimit = async () => ({ most: 32, kept: 64 });
    expect(await idsOf(subject(host(allThere, { descriptorLimit }), { mostSlots: 0 }))).toEqual([]);
  });

  it('names capabilities that are missing', async () => {
    const capabilities = async () => '0000000000001000';
    const report = await verify(subject(host(allThere, { capabilities })));
    const lacking = report.findings.filter(({ id }) => id === 'capability');
    expect(lacking.map(({ message }) => message)).toEqual(['this process lacks CAP_SYS_ADMIN']);
  });

  it('warns of a network to masquerade whose subnets nobody names', async () => {
    const found = (masquerade: boolean, subnets: readonly string[]) =>
      idsOf(subject(host(allThere), { firewall: { ...firewall, masquerade, subnets } }));
    expect(await found(true, [])).toEqual(['warning masquerade.subnets']);
    expect(await found(false, [])).toEqual([]);
    expect(await found(true, firewall.subnets)).toEqual([]);
  });

  it('warns of forwarding that is off, for each family that the network has', async () => {
    const sysctlRead = async () => '0';
    expect(await idsOf(subject(host(allThere, { sysctlRead })))).toEqual(['warning forwarding']);
    const both = subject(host(allThere, { sysctlRead }), { firewall: { ...firewall, ipv6: true } });
    expect(await idsOf(both)).toEqual(['warning forwarding', 'warning forwarding']);
  });

  it('warns of names that are not seen outside, in whichever mount namespace', async () => {
    for (const hostMountNamespace of [true, false]) {
      const told = (shared: boolean) =>
        idsOf(subject(host(allThere, { mountState: async () => ({ hostMountNamespace, shared }) })));
      expect(await told(false)).toEqual(['warning mount.private']);
      expect(await told(true)).toEqual([]);
    }
  });

  it('names a forward chain that drops, and only such', async () => {
    const other = {
      ...{ family: 'bridge', table: 't', chain: 'c', hook: 'forward' as const },
      ...{ drops: true, bridged: true, dockerUser: false },
    };
    // Of a network without IPv6, and without hostAccess.
    const harmless = [{ drops: false }, { family: 'ip6' }, { hook: 'input' as const }].map((change) => ({
      ...{ ...other, table: 'other', ...change },
    }));
    const report = await verify(subject(host(allThere, { foreignChains: async () => [other, ...harmless] })));
    const found = report.findings.filter(({ id }) => id === 'forward.foreign-drop');
    expect(found.map(({ message }) => message)).toEqual([
      expect.stringContaining('chain c of table bridge t'),
    ]);
    // Not every kernel that tests run on knows bridges by name there.
    expect(found[0]?.remedy).toContain(`: nft 'insert rule bridge t c ibrname "fcbr0" accept'`);
  });

  it('tells of each kind of chain that it may look at', async () => {
    const drops = {
      chain: 'FORWARD',
      hook: 'forward',
      drops: true,
      bridged: false,
      dockerUser: false,
    } as const;
    const refused = async () => {
      throw Object.assign(new Error('EACCES'), { code: 'EACCES' });
    };
    const foundOf = async (binding: Partial<VerifyBinding>) =>
      (await verify(subject(host(allThere, binding)))).findings
        .filter(({ id }) => id.startsWith('forward'))
        .map(({ severity, id }) => `${severity} ${id}`);
    const foreignChains = async () => [{ family: 'ip', table: 'filter', ...drops }];
    expect(await foundOf({ foreignChains, legacyForeignChains: refused })).toEqual([
      'warning forward.foreign-drop',
      'notice forward.unseen',
    ]);
    const legacyForeignChains = async () => [{ family: 'legacy', table: 'filter', ...drops }];
    expect(await foundOf({ foreignChains: refused, legacyForeignChains })).toEqual([
      'warning forward.foreign-drop',
    ]);
  });
});
