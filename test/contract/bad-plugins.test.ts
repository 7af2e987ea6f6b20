import { chmod, copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import type { ErrorCode } from '../../lib/errors.ts';
import { bundledPluginDirectory } from '../../lib/native/load.ts';
import type { NetworkManager } from '../../lib/network-manager.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { type Misbehaviour, untilNoSurvivors, wrap, wrapperDir } from '../support/plugin-wrappers.ts';
import { expectRefusal } from '../support/refusal.ts';
import { debianPluginDir } from '../support/tools.mjs';
import { describeBackends } from './fixture.ts';

const misbehaviours: readonly (readonly [Misbehaviour, ErrorCode, says: string])[] = [
  ['reports an error', 'ERR_PLUGIN_FAILED', 'broken; on purpose'],
  ['fails silently', 'ERR_PLUGIN_SILENT', 'exited with 3 and printed nothing'],
  ['prints garbage', 'ERR_PLUGIN_OUTPUT_INVALID', 'printed no CNI result'],
  ['prints 100 MB', 'ERR_PLUGIN_OUTPUT_TOO_LARGE', 'it was killed'],
  ['hangs with a child', 'ERR_PLUGIN_TIMEOUT', 'it was killed with all its children'],
  ['is killed', 'ERR_PLUGIN_KILLED', 'was ended by SIGKILL'],
];

const chain = ['bridge', 'tc-redirect-tap'] as const;

const realDirOf = (type: string) => (type === 'tc-redirect-tap' ? bundledPluginDirectory() : debianPluginDir);

describeBackends(
  'a plugin',
  (lab) => {
    afterEach(() => rm(wrapperDir, { recursive: true, force: true }));

    /** Plugins that misbehave are found before the real ones; one that `hangs` is waited for in vain. */
    const open = ({ hangs = false } = {}) =>
      lab.open({
        pluginDirs: [wrapperDir, debianPluginDir],
        ...{ pluginTimeoutMs: hangs ? 5_000 : 60_000, timeoutMs: 120_000 },
      });

    const cases = chain.flatMap((type) => misbehaviours.map((how) => [type, ...how] as const));
    it.each(cases)('no leak when %s has done its work and %s', async (type, misbehaviour, code, says) => {
      const manager = await open({ hangs: misbehaviour === 'hangs with a child' });
      const before = await canonicalDump();
      await wrap(type, realDirOf(type), 'ADD', misbehaviour);
      await expectRefusal(manager.setup('vm-1'), code, says, {
        ...{ operation: 'setup', vmId: 'vm-1', network: 'fcnet', rolledBack: true },
        ...{ step: `plugin:${type} ADD`, plugin: { type, command: 'ADD' } },
      });
      await rm(wrapperDir, { recursive: true });
      await expectUnchanged(before);
      await untilNoSurvivors();
      await manager.setup('vm-1');
    });

    it('no leak when the address plugin hangs under the bridge plugin', async () => {
      const manager = await open({ hangs: true });
      const before = await canonicalDump();
      await wrap('host-local', debianPluginDir, 'ADD', 'hangs with a child');
      await expectRefusal(manager.setup('vm-1'), 'ERR_PLUGIN_TIMEOUT', 'bridge', { rolledBack: true });
      await rm(wrapperDir, { recursive: true });
      await expectUnchanged(before);
      await untilNoSurvivors();
    });

    it('no leak when an abort comes while it works', async () => {
      const manager = await open();
      const before = await canonicalDump();
      await wrap('tc-redirect-tap', bundledPluginDirectory(), 'ADD', 'hangs with a child');
      const controller = new AbortController();
      const setup = manager.setup('vm-1', { signal: controller.signal });
      setTimeout(() => controller.abort(), 500);
      await expect(setup).rejects.toMatchObject({ name: 'AbortError', rolledBack: true });
      await rm(wrapperDir, { recursive: true });
      await expectUnchanged(before);
      await untilNoSurvivors();
    });

    it('that leaves a daemon leaves it no lock', async () => {
      const manager = await open();
      const before = await canonicalDump();
      await mkdir(wrapperDir, { recursive: true });
      const daemon = `setsid sleep 60 </dev/null >/dev/null 2>&1 & echo $! >/run/daemon.pid`;
      const script = `#!/bin/sh\n[ "$CNI_COMMAND" != ADD ] || { ${daemon}; }\nexec ${debianPluginDir}/bridge\n`;
      await writeFile(`${wrapperDir}/bridge`, script, { mode: 0o755 });
      await manager.setup('vm-1');
      const pid = Number(await readFile('/run/daemon.pid', 'utf8'));
      try {
        await manager.teardown('vm-1', { timeoutMs: 5_000 });
        process.kill(pid, 0);
      } finally {
        process.kill(pid, 'SIGKILL');
        for (const path of ['/run/daemon.pid', wrapperDir]) await rm(path, { recursive: true });
      }
      await expectUnchanged(before);
    });

    it('that is missing is named, with the directories searched', async () => {
      const manager = await lab.open({ pluginDirs: ['/none'] });
      const before = await canonicalDump();
      const { remedy } = await expectRefusal(
        manager.setup('vm-1'),
        'ERR_PLUGIN_NOT_FOUND',
        'plugin bridge (ADD): not in /none',
        { operation: 'setup', rolledBack: true },
      );
      expect(remedy).toContain('apt-get install containernetworking-plugins');
      await expectUnchanged(before);
    });

    it('that may not be executed is named', async () => {
      const manager = await open();
      const before = await canonicalDump();
      await mkdir(wrapperDir, { recursive: true });
      await copyFile(`${debianPluginDir}/bridge`, `${wrapperDir}/bridge`);
      await chmod(`${wrapperDir}/bridge`, 0o644);
      await expectRefusal(manager.setup('vm-1'), 'ERR_PLUGIN_NOT_EXECUTABLE', 'it has no x bit', {
        ...{ rolledBack: true, path: `${wrapperDir}/bridge` },
      });
      await rm(wrapperDir, { recursive: true });
      await expectUnchanged(before);
    });

    /** A plugin in place of the real one, that answers so to whatever it is told, and does nothing. */
    const answerAlways = async (type: string, answer: string) => {
      await mkdir(wrapperDir, { recursive: true });
      await writeFile(`${wrapperDir}/${type}`, `#!/bin/sh\n${answer}\n`, { mode: 0o755 });
    };
    const refusal = { cniVersion: '0.4.0', code: 1, msg: 'incompatible CNI versions', details: '' };
    const refuseVersion = `echo '${JSON.stringify(refusal)}'; exit 1`;

    it.each(chain)(
      'no leak when %s does not speak the version of the conflist, and it is named',
      async (type) => {
        const manager = await open();
        const before = await canonicalDump();
        await answerAlways(type, refuseVersion);
        for (let attempt = 0; attempt < 2; attempt++) {
          await expectRefusal(manager.setup('vm-1'), 'ERR_VERSION_UNSUPPORTED', 'incompatible CNI versions', {
            ...{ plugin: { type, command: 'ADD', code: 1 }, rolledBack: true },
          });
        }
        await rm(wrapperDir, { recursive: true });
        await expectUnchanged(before);
      },
    );

    it.each([
      ['teardown', (manager: NetworkManager) => manager.teardown('vm-1')],
      [
        'gc',
        async (manager: NetworkManager) =>
          expect(await manager.gc({ keep: [] })).toMatchObject({ removed: [{ vmId: 'vm-1' }], failed: [] }),
      ],
    ])(
      'what a setup has left is removed by %s where it does not speak that version',
      async (_title, remove) => {
        const manager = await open();
        const before = await canonicalDump();
        await answerAlways('bridge', 'exit 7');
        await expectRefusal(manager.setup('vm-1'), 'ERR_PLUGIN_SILENT', 'exited with 7', {
          rolledBack: false,
        });
        await answerAlways('bridge', refuseVersion);
        await remove(manager);
        await rm(wrapperDir, { recursive: true });
        await expectUnchanged(before);
      },
    );

    it('that refuses the version of an attachment which it has made: the record stays for another teardown', async () => {
      const manager = await open();
      const before = await canonicalDump();
      await manager.setup('vm-1');
      await answerAlways('bridge', refuseVersion);
      await expectRefusal(manager.teardown('vm-1'), 'ERR_TEARDOWN_INCOMPLETE', 'incompatible CNI versions', {
        errors: [{ code: 'ERR_VERSION_UNSUPPORTED', plugin: { type: 'bridge', command: 'DEL' } }],
      });
      expect(await manager.list()).toMatchObject([{ vmId: 'vm-1', alive: false }]);
      await rm(wrapperDir, { recursive: true });
      await manager.teardown('vm-1');
      await expectUnchanged(before);
    });

    it('that fails at ADD, and at DEL too: setup says that the undo is not complete, and gc completes it', async () => {
      const manager = await open();
      const before = await canonicalDump();
      await mkdir(wrapperDir, { recursive: true });
      const script = `#!/bin/sh\n[ "$CNI_COMMAND" = DEL ] || ${debianPluginDir}/bridge >/dev/null\nexit 7\n`;
      await writeFile(`${wrapperDir}/bridge`, script, { mode: 0o755 });
      await expectRefusal(manager.setup('vm-1'), 'ERR_PLUGIN_SILENT', 'exited with 7', {
        ...{ rolledBack: false, step: 'plugin:bridge ADD', plugin: { exitCode: 7 } },
        errors: [{ code: 'ERR_PLUGIN_SILENT', plugin: { type: 'bridge', command: 'DEL' } }],
      });
      expect(await manager.gc({ keep: [] })).toMatchObject({
        removed: [],
        failed: [{ vmId: 'vm-1' }],
      });
      await rm(wrapperDir, { recursive: true });
      expect(await manager.gc({ keep: [] })).toMatchObject({ removed: [{ vmId: 'vm-1' }], failed: [] });
      await expectUnchanged(before);
    });

    it.each(chain)('that fails at DEL: teardown goes on past %s, and can be done again', async (type) => {
      const manager = await open();
      const before = await canonicalDump();
      await manager.setup('vm-1');
      await wrap(type, realDirOf(type), 'DEL', 'reports an error');
      await expectRefusal(manager.teardown('vm-1'), 'ERR_TEARDOWN_INCOMPLETE', 'broken; on purpose', {
        ...{ operation: 'teardown', vmId: 'vm-1', step: `plugin:${type} DEL` },
        errors: [{ code: 'ERR_PLUGIN_FAILED', plugin: { type, command: 'DEL', code: 100 } }],
      });
      expect(await manager.list()).toMatchObject([{ vmId: 'vm-1', alive: false }]);
      await rm(wrapperDir, { recursive: true });
      await manager.teardown('vm-1');
      await expectUnchanged(before);
    });
  },
  ['cni'],
);
