import { mkdir, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { ErrorCode } from '../../lib/errors.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { expectRefusal } from '../support/refusal.ts';
import { debianPluginDir } from '../support/tools.mjs';
import { describeBackends } from './fixture.ts';

const path = '/etc/cni/mine.conflist';

const bridge = {
  ...{ type: 'bridge', bridge: 'mine0', isGateway: true },
  ipam: { type: 'host-local', subnet: '10.9.0.0/24', dataDir: '/run/cni/networks' },
};
const tap = { type: 'tc-redirect-tap' };

const conflist = (change: object = {}) =>
  JSON.stringify({ cniVersion: '1.0.0', name: 'mine', plugins: [bridge, tap], ...change });

const files: readonly (readonly [title: string, text: string, code: ErrorCode, says: string])[] = [
  ['is not JSON', '{ "name": "mine",', 'ERR_CONFLIST_PARSE', 'not JSON'],
  ['is empty', '', 'ERR_CONFLIST_PARSE', 'not JSON'],
  ['lacks its name', conflist({ name: undefined }), 'ERR_CONFLIST_INVALID', 'name'],
  ['has an empty name', conflist({ name: '' }), 'ERR_CONFLIST_INVALID', 'name is empty'],
  ['has a path for a name', conflist({ name: '../mine' }), 'ERR_CONFLIST_INVALID', 'invalid characters'],
  ['lacks its plugins', conflist({ plugins: undefined }), 'ERR_CONFLIST_INVALID', 'no plugins'],
  ['has no plugins', conflist({ plugins: [] }), 'ERR_CONFLIST_INVALID', 'plugins: empty'],
  [
    'has a plugin without a type',
    conflist({ plugins: [{}, tap] }),
    'ERR_CONFLIST_INVALID',
    'plugins[0].type: missing',
  ],
  [
    'names a plugin with a slash',
    conflist({ plugins: [{ ...bridge, type: '../bridge' }, tap] }),
    'ERR_PLUGIN_NAME_INVALID',
    'plugins[0].type is "../bridge"; a plugin is named by its file name alone',
  ],
  [
    'names an address plugin with a slash',
    conflist({ plugins: [{ ...bridge, ipam: { type: '/bin/sh' } }, tap] }),
    'ERR_PLUGIN_NAME_INVALID',
    'plugins[0].ipam.type',
  ],
  [
    'does not end in tc-redirect-tap',
    conflist({ plugins: [bridge] }),
    'ERR_CONFLIST_INVALID',
    'its last plugin is not tc-redirect-tap',
  ],
  [
    'is of a version to come',
    conflist({ cniVersion: '9.0.0' }),
    'ERR_VERSION_UNSUPPORTED',
    'cniVersion "9.0.0" is none of',
  ],
  [
    'is of a version whose results name no TAP',
    conflist({ cniVersion: '0.2.0' }),
    'ERR_VERSION_UNSUPPORTED',
    'results of CNI 0.2.0, its version, name no TAP device; use 0.3.0 or later',
  ],
  [
    'says no version, which stands for the first',
    conflist({ cniVersion: undefined }),
    'ERR_VERSION_UNSUPPORTED',
    'results of CNI 0.1.0',
  ],
];

describeBackends(
  'a conflist of the user',
  (lab) => {
    it.each(files)('that %s is refused, and left as it is', async (_title, text, code, says) => {
      await writeFile(path, text);
      const before = await canonicalDump();
      await expectRefusal(lab.open({ conflist: path }), code, says, { operation: 'open', path });
      await expectUnchanged(before);
    });

    it('that is not there is refused', async () => {
      const before = await canonicalDump();
      await expectRefusal(lab.open({ conflist: path }), 'ERR_CONFLIST_NOT_FOUND', `${path} does not exist`);
      await expectUnchanged(before);
    });

    it('that is of another network than the option says is refused', async () => {
      await writeFile(path, conflist());
      const before = await canonicalDump();
      await expectRefusal(
        lab.open({ conflist: path, network: 'other' }),
        'ERR_OPTION_INVALID',
        'network "other" is not the one of /etc/cni/mine.conflist, which is "mine"',
      );
      await expectUnchanged(before);
    });

    it('whose chain gives no TAP is refused at the first setup, and undone', async () => {
      const plugin = '#!/bin/sh\ncat | sed "s/.*/{ \\"cniVersion\\": \\"1.0.0\\" }/" | head -n 1\n';
      await mkdir('/run/plugins', { recursive: true });
      await writeFile('/run/plugins/tc-redirect-tap', plugin, { mode: 0o755 });
      await writeFile(path, conflist());
      const pluginDirs = ['/run/plugins', debianPluginDir];
      const manager = await lab.open({ conflist: path, pluginDirs });
      const first = await (await lab.open({ conflist: path })).setup('vm-0');
      const before = await canonicalDump();
      await expectRefusal(manager.setup('vm-1'), 'ERR_RESULT_INCOMPLETE', 'no TAP device with an address', {
        ...{ step: 'result', rolledBack: true, network: 'mine' },
      });
      await expectUnchanged(before);
      expect(first.guestIp).toBe('10.9.0.2');
    });

    it('whose chain takes no MAC is refused with one, and undone', async () => {
      const ptp = { type: 'ptp', ipam: bridge.ipam };
      await writeFile(path, conflist({ plugins: [ptp, tap] }));
      const manager = await lab.open({ conflist: path });
      await manager.setup('vm-0');
      const before = await canonicalDump();
      await expectRefusal(
        manager.setup('vm-1', { mac: '02:00:00:00:00:01' }),
        'ERR_OPTION_INVALID',
        'give its first plugin "capabilities": { "mac": true }',
        { rolledBack: true },
      );
      await expectUnchanged(before);
    });
  },
  ['cni'],
);

describeBackends(
  'a conflist of the user whose routes say more than where and by what',
  (lab) => {
    const withRoute = (route: object) =>
      conflist({ plugins: [{ ...bridge, ipam: { ...bridge.ipam, routes: [{ dst: '::/0' }, route] } }, tap] });

    it.each(['mtu', 'advmss', 'priority', 'table', 'scope'])(
      'is refused, because of "%s", and left as it is',
      async (key) => {
        await writeFile(path, withRoute({ dst: '10.1.0.0/16', [key]: 100 }));
        const before = await canonicalDump();
        const says = `its route to 10.1.0.0/16 has "${key}"; use backend: 'cni'`;
        await expectRefusal(lab.open({ conflist: path }), 'ERR_CONFLIST_INVALID', says, {
          ...{ operation: 'open', path },
        });
        await expectUnchanged(before);
      },
    );
  },
  ['native'],
);

describeBackends('the conflist that open writes', (lab) => {
  const file = '/etc/cni/conf.d/fcnet.conflist';

  it('never takes the place of one that someone else wrote, or edited', async () => {
    await mkdir('/etc/cni/conf.d', { recursive: true });
    await writeFile(file, conflist({ name: 'fcnet' }));
    const before = await canonicalDump();
    await expectRefusal(lab.open(), 'ERR_CONFLIST_FOREIGN', 'written or edited by someone else', {
      ...{ operation: 'open', path: file },
    });
    await expectUnchanged(before);
  });

  it('cannot go where no file can be written', async () => {
    await writeFile('/etc/cni/conf.d', 'a file');
    const before = await canonicalDump();
    await expectRefusal(lab.open(), 'ERR_CONFLIST_WRITE', `${file} cannot be written`, { path: file });
    await expectUnchanged(before);
  });
});
