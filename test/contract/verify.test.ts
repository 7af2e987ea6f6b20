import { mkdir, rm, writeFile } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { wrapperDir } from '../support/plugin-wrappers.ts';
import { expectRefusal } from '../support/refusal.ts';
import { nft, outcomeOf, run } from '../support/run.ts';
import { debianPluginDir } from '../support/tools.mjs';
import { describeBackends } from './fixture.ts';

describeBackends('verification', (lab) => {
  const needed = lab.backend === 'cni' ? 'error' : 'notice';

  it('with plugins present says which they are, and finds nothing that is missing', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    const { ok, findings, plugins } = await manager.verify();
    expect(ok).toBe(true);
    expect(findings.filter(({ id }) => id.startsWith('kernel') || id.startsWith('device'))).toEqual([]);
    const versions = expect.arrayContaining(['1.0.0']);
    expect(plugins).toEqual([
      { type: 'bridge', path: `${debianPluginDir}/bridge`, bundled: false, versions },
      { type: 'tc-redirect-tap', path: expect.any(String), bundled: true, versions },
      { type: 'host-local', path: `${debianPluginDir}/host-local`, bundled: false, versions },
    ]);
    expect(findings.map(({ id }) => id)).toContain('plugin.tc-redirect-tap');
    await expectUnchanged(before);
  });

  it('with plugins missing names each, the directories searched, and how to get it', async () => {
    const manager = await lab.open({ pluginDirs: ['/none', '/nowhere'] });
    const { ok, findings, plugins } = await manager.verify();
    expect(ok).toBe(lab.backend !== 'cni');
    const missing = findings.filter(({ id }) => id === 'plugin.missing');
    expect(missing.map(({ severity, message }) => [severity, message])).toEqual(
      ['bridge', 'host-local'].map((type) => [
        needed,
        expect.stringContaining(`plugin ${type} is in none of /none, /nowhere`),
      ]),
    );
    for (const { remedy } of missing) expect(remedy).toContain('containernetworking-plugins');
    expect(plugins.filter(({ path }) => path === null).map(({ type }) => type)).toEqual([
      'bridge',
      'host-local',
    ]);
  });

  it('names a forward chain of others that drops, with what to do', async () => {
    await nft(
      'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }',
    );
    const { findings } = await (await lab.open()).verify();
    expect(findings.find(({ id }) => id === 'forward.foreign-drop')).toMatchObject({
      severity: 'warning',
      message: expect.stringContaining('chain FORWARD of table ip filter'),
      remedy: expect.stringContaining('fcbr0'),
    });
  });

  it('at open logs what is missing with its remedy', async () => {
    await nft(
      'add table ip filter; add chain ip filter FORWARD { type filter hook forward priority 0; policy drop; }',
    );
    await lab.open({ verify: 'warn' });
    expect(lab.logged.filter(({ level }) => level === 'warn')).toContainEqual({
      level: 'warn',
      message: expect.stringMatching(
        /chain FORWARD of table ip filter drops .*; remedy: accept there what guests send/,
      ),
      fields: { id: 'forward.foreign-drop', severity: 'warning', remedy: expect.any(String) },
    });
  });

  it('at open is an error when told so, and what was prepared is undone', async () => {
    const before = await canonicalDump();
    const open = lab.open({ verify: 'throw', pluginDirs: ['/none'] });
    if (lab.backend === 'cni') {
      await expectRefusal(open, 'ERR_VERIFY', /plugin bridge is in none of .*remedy: apt-get install/, {
        ...{ operation: 'open', step: 'verify' },
      });
    } else {
      await (await open).removeNetwork();
    }
    await expectUnchanged(before);
  });
});

describeBackends('a host without /dev/net/tun', (lab) => {
  afterEach(() => outcomeOf('umount', ['/dev/net']));
  const hide = () => run('mount', ['-t', 'tmpfs', 'tmpfs', '/dev/net']);

  it('is told by verify, and makes open an error when told so', async () => {
    const manager = await lab.open();
    await hide();
    const { ok, findings } = await manager.verify();
    expect(ok).toBe(false);
    expect(findings).toContainEqual({
      ...{ id: 'device.tun', severity: 'error', message: 'there is no /dev/net/tun' },
      remedy: expect.stringContaining('mknod /dev/net/tun c 10 200'),
    });
    const before = await canonicalDump();
    const options = { network: 'blue', bridge: 'blue0', subnet: '10.9.0.0/24', verify: 'throw' } as const;
    await expectRefusal(lab.open(options), 'ERR_VERIFY', 'mknod /dev/net/tun', { network: 'blue' });
    await expectUnchanged(before);
  });

  it('has setup fail and undone', async () => {
    const manager = await lab.open();
    await manager.setup('vm-0');
    const before = await canonicalDump();
    await hide();
    const setup = manager.setup('vm-1');
    await expectRefusal(
      setup,
      lab.backend === 'cni' ? 'ERR_PLUGIN_FAILED' : 'ERR_KERNEL',
      /\/dev\/net\/tun/,
      { rolledBack: true },
    );
    await expectUnchanged(before);
  });
});

describeBackends('a plugin that is not ready, of a chain of CNI 1.1.0,', (lab) => {
  afterEach(() => rm(wrapperDir, { recursive: true, force: true }));

  it('is told by verify with what it says, and makes open an error when told so', async () => {
    const says = `{"cniVersion":"1.1.0","code":50,"msg":"no route to the store","details":"yet"}`;
    await mkdir(wrapperDir, { recursive: true });
    await writeFile(
      `${wrapperDir}/bridge`,
      `#!/bin/sh
[ "$CNI_COMMAND" != STATUS ] || { echo '${says}'; exit 1; }
[ "$CNI_COMMAND" != VERSION ] || exec echo '{"cniVersion":"1.1.0","supportedVersions":["1.0.0","1.1.0"]}'
exec ${debianPluginDir}/bridge
`,
      { mode: 0o755 },
    );
    const conflist = '/etc/cni/mine.conflist';
    const ipam = { type: 'host-local', subnet: '10.9.0.0/24', dataDir: '/run/cni/networks' };
    const plugins = [{ type: 'bridge', bridge: 'mine0', isGateway: true, ipam }, { type: 'tc-redirect-tap' }];
    const openAt = async (cniVersion: string, verify: 'off' | 'throw') => {
      await writeFile(conflist, JSON.stringify({ cniVersion, name: 'mine', plugins }));
      return lab.open({ conflist, pluginDirs: [wrapperDir, debianPluginDir], verify });
    };
    const findings = async (cniVersion: string) =>
      (await (await openAt(cniVersion, 'off')).verify()).findings.filter(({ id }) => id === 'plugin.status');
    const said = 'no route to the store; yet';
    expect(await findings('1.0.0')).toEqual([]);
    expect(await findings('1.1.0')).toEqual(
      lab.backend === 'native'
        ? []
        : [
            {
              ...{ id: 'plugin.status', severity: 'error' },
              message: `plugin bridge is not ready: ${said}`,
              remedy: `mend what bridge says, or set-ups will fail: ${said}`,
            },
          ],
    );
    if (lab.backend === 'native') return;
    await expectRefusal(openAt('1.1.0', 'throw'), 'ERR_VERIFY', /plugin bridge is not ready: no route/);
  });
});
