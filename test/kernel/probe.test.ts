import { beforeEach, describe, expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { resetLab } from '../support/lab.ts';
import { addonFile, native } from '../support/native.ts';
import { run } from '../support/run.ts';

interface Result {
  readonly feature: string;
  readonly ok: boolean;
  readonly error: string | null;
  readonly syscall: string | null;
}

/** Probes in another process that `command` has put somewhere else. */
async function probeFrom(command: string, ...args: string[]): Promise<Record<string, Result>> {
  const script = `require(${JSON.stringify(addonFile)}).probe({}).then((r) => console.log(JSON.stringify(r)))`;
  const output = await run(command, [...args, process.execPath, '-e', script]);
  return Object.fromEntries((JSON.parse(output) as Result[]).map((result) => [result.feature, result]));
}

describe('probe', () => {
  beforeEach(resetLab);

  it('uses every feature that the library needs', async () => {
    const results = await native.probe({});
    expect(results.map(({ feature }) => feature)).toEqual([
      'netns',
      'bridge',
      'veth',
      'bridge_port',
      'tap',
      'ingress',
      'u32',
      'mirred',
      'nf_tables',
      'nft_comment',
      'nft_interval',
      'nft_concatenation',
      'nft_conntrack',
      'nft_masquerade',
      'guard_bridge',
      'guard_routed',
      'conntrack_netlink',
      'mount',
    ]);
    for (const result of results) {
      expect(result).toEqual({ feature: result.feature, ok: true, error: null, syscall: null });
    }
  });

  it('leaves nothing behind', async () => {
    const before = await canonicalDump();
    const mounts = await run('cat', ['/proc/self/mountinfo']);
    await Promise.all(Array.from({ length: 4 }, () => native.probe({})));
    await expectUnchanged(before);
    expect(await run('cat', ['/proc/self/mountinfo'])).toBe(mounts);
  });

  it('says that there is no device node for TAPs', async () => {
    const script = 'mount -t tmpfs none /dev/net && exec "$@"';
    const { tap, bridge } = await probeFrom('unshare', '--mount', 'sh', '-c', script, 'sh');
    expect(tap).toEqual({ feature: 'tap', ok: false, error: 'ENOENT', syscall: 'open' });
    expect(bridge?.ok).toBe(true);
  });

  it('says that the device node for TAPs has no driver', async () => {
    const script = 'mount -t tmpfs none /dev/net && mknod /dev/net/tun c 240 200 && exec "$@"';
    const { tap } = await probeFrom('unshare', '--mount', 'sh', '-c', script, 'sh');
    expect(tap).toEqual({ feature: 'tap', ok: false, error: 'ENXIO', syscall: 'open' });
  });

  it('says that there may be no more namespaces', async () => {
    const limit = 'echo 1 > /proc/sys/user/max_net_namespaces && exec "$@"';
    const { netns } = await probeFrom('unshare', '--map-root-user', '--net', 'sh', '-c', limit, 'sh');
    expect(netns).toMatchObject({ ok: false, error: 'ENOSPC', syscall: 'unshare' });
  });

  it('says that privilege is missing, and nothing about what it could not try', async () => {
    const results = await probeFrom('setpriv', '--bounding-set=-all', '--inh-caps=-all', '--');
    expect(results).toEqual({
      netns: { feature: 'netns', ok: false, error: 'EPERM', syscall: 'unshare' },
    });
  });
});

/** In PID and mount namespaces of its own; `inner` runs what comes after it. */
async function mountState(script: string, inner = ''): Promise<unknown> {
  const plan = JSON.stringify({ directory: '/run/names' });
  const look = `require(${JSON.stringify(addonFile)}).mountState(${plan}).then((r) => console.log(JSON.stringify(r)))`;
  const own = ['--mount', '--pid', '--fork', '--mount-proc'];
  // The shell stays pid 1.
  const text = `mkdir -p /run/names && ${script} && ${inner} "$@" && true`;
  return JSON.parse(await run('unshare', [...own, 'sh', '-c', text, 'sh', process.execPath, '-e', look]));
}

describe('names of namespaces', () => {
  const mount = 'mount --bind /run/names /run/names';
  const shared = `${mount} && mount --make-shared /run/names`;

  it.each([
    ['are to be seen once they are made', 'true', '', { hostMountNamespace: true, shared: true }],
    ['in a shared mount are seen', shared, '', { hostMountNamespace: true, shared: true }],
    ['in a private mount are not', mount, '', { hostMountNamespace: true, shared: false }],
    [
      'in a mount that pid 1 shares are seen from another mount namespace',
      ...[shared, 'unshare --mount --propagation unchanged'],
      { hostMountNamespace: false, shared: true },
    ],
    [
      'in one that it shares with others are not',
      ...[shared, 'unshare --mount --propagation private'],
      { hostMountNamespace: false, shared: false },
    ],
  ] as const)('%s', async (_title, script, inner, expected) => {
    expect(await mountState(script, inner)).toEqual(expected);
  });
});
