import { chmod, chown, mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { NetworkManagerOptions } from '../../lib/index.ts';
import { describeBackends } from '../contract/fixture.ts';
import { addonFile } from '../support/native.ts';
import { outcomeOf, run } from '../support/run.ts';
import { debianPluginDir } from '../support/tools.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Where an ordinary user can reach the package and Node, wherever the suite runs. */
const packageDir = '/run/vulcan-package';
const nodeFile = '/run/vulcan-node';
const addonDir = '/run/vulcan-addon';
const tun = '/dev/net/tun';
const uid = 1234;
const home = '/run/vulcan-net/home';
const names = ['conf', 'networks', 'state', 'netns'] as const;
const [confDir, addressDir, stateDir, netnsDir] = names.map((name) => `${home}/${name}`);

/** An ordinary user with two capabilities and no others, not even through a program that is root's. */
const unprivileged = [
  'setpriv',
  ...[`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--no-new-privs'],
  ...['--bounding-set=-all,+net_admin,+sys_admin', '--inh-caps=-all,+net_admin,+sys_admin'],
  '--ambient-caps=-all,+net_admin,+sys_admin',
];

const mounted: string[] = [];

async function bind(source: string, target: string): Promise<void> {
  await run('mount', ['--bind', source, target]);
  mounted.push(target);
}

describeBackends('an ordinary user with CAP_NET_ADMIN and CAP_SYS_ADMIN', (lab) => {
  beforeEach(async () => {
    for (const directory of [packageDir, addonDir]) await mkdir(directory, { recursive: true });
    await bind(root, packageDir);
    await bind(fileURLToPath(new URL('.', `file://${addonFile}`)), addonDir);
    await writeFile(nodeFile, '');
    await bind(process.execPath, nodeFile);
    // Its owner decides who may make TAP devices.
    await run('mknod', ['/run/vulcan-tun', 'c', '10', '200']);
    await chmod('/run/vulcan-tun', 0o666);
    await bind('/run/vulcan-tun', tun);
    await mkdir(home, { recursive: true });
    await chmod('/run/vulcan-net', 0o755);
    await chown(home, uid, uid);
  });
  afterEach(async () => {
    await outcomeOf('umount', ['--recursive', '--lazy', `${netnsDir}`]);
    for (const target of mounted.splice(0).reverse()) await run('umount', ['--lazy', target]);
    await run('rm', ['-rf', '/run/vulcan-tun', nodeFile, packageDir, addonDir]);
  });

  /** What the user is told of all verbs, by a manager with directories of its own. */
  async function verbs(more: Pick<NetworkManagerOptions, 'pool'>) {
    const options = { confDir, addressDir, stateDir, netnsDir, pluginDirs: [debianPluginDir], ...more };
    const [file = '', ...args] = [
      ...[...unprivileged, nodeFile, `${packageDir}/test/lifecycle/scenarios.mjs`, 'verbs'],
      JSON.stringify({ backend: lab.backend, ...options }),
    ];
    const env = { ...process.env, VULCAN_NET_NATIVE: `${addonDir}/vulcan_net.node` };
    const { exitCode, stdout, stderr } = await outcomeOf(file, args, { env, cwd: '/' });
    return { exitCode, stderr, said: exitCode === 0 ? JSON.parse(stdout) : stdout };
  }

  it('has every verb, in directories of its own', async () => {
    const { exitCode, stderr, said: all } = await verbs({});
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const { findings, ...said } = all;
    const errors = findings.filter(({ severity }: { readonly severity: string }) => severity === 'error');
    expect(errors).toEqual([]);
    expect(said).toMatchObject({
      uid,
      net: { tapName: 'tap0', netnsPath: `${netnsDir}/vulcan-vm`, guestIp: '10.168.0.2' },
      checked: { ok: true, differences: [] },
      listed: [{ vmId: 'vm', alive: true }],
      collected: { removed: [{ vmId: 'other' }], failed: [] },
      left: [],
    });
  });

  if (lab.backend === 'native') {
    it('is told that its pool uses no slot again', async () => {
      const { exitCode, stderr, said } = await verbs({ pool: { min: 1, max: 2 } });
      expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
      expect(said.findings).toContainEqual({
        ...{ id: 'capability.recycle', severity: 'warning' },
        message: expect.stringContaining('lacks CAP_SYS_PTRACE'),
        remedy: expect.stringContaining('pool.recycle'),
      });
      expect(said).toMatchObject({
        checked: { ok: true },
        collected: { removed: [{ vmId: 'other' }] },
        left: [],
      });
    });
  }
});
