import { readFile, writeFile } from 'node:fs/promises';
import { beforeEach, expect, it } from 'vitest';
import { bundledPluginDirectory } from '../../lib/native/load.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { expectRefusal } from '../support/refusal.ts';
import { requires } from '../support/require.ts';
import { ip, run } from '../support/run.ts';
import { cnitool, debianPluginDir } from '../support/tools.mjs';
import { describeBackends } from './fixture.ts';
import { linkOf, linksOf } from './oracles.ts';

const path = '/etc/cni/mine.conflist';
const ipam = { type: 'host-local', subnet: '10.9.0.0/24', dataDir: '/run/cni/networks' };

async function write(bridge: object = {}): Promise<void> {
  const plugins = [
    { type: 'bridge', bridge: 'mine0', isGateway: true, ...bridge, ipam },
    { type: 'tc-redirect-tap' },
  ];
  await writeFile(path, JSON.stringify({ cniVersion: '1.0.0', name: 'mine', plugins }));
}

const bridges = async () => (await linksOf(null)).filter(({ linkinfo }) => linkinfo?.info_kind === 'bridge');
const names = async () => (await bridges()).map(({ ifname }) => ifname);

describeBackends('removeNetwork of a conflist of the user', (lab) => {
  beforeEach(() => write());

  it.each([
    ['nobody', null],
    ['another manager, which is gone', 'leave'],
  ] as const)('takes the bridge along where it was made for the network, by %s', async (_title, shutdown) => {
    const before = await canonicalDump();
    if (shutdown !== null) await (await lab.open({ conflist: path, shutdown })).close();
    const manager = await lab.open({ conflist: path });
    await manager.setup('vm-1');
    expect(await names()).toEqual(['mine0']);
    await manager.teardown('vm-1');
    await manager.removeNetwork();
    await expectUnchanged(before);
  });

  it('leaves a bridge that was there before', async () => {
    await ip('link', 'add', 'mine0', 'type', 'bridge');
    const manager = await lab.open({ conflist: path });
    await manager.setup('vm-1');
    await manager.teardown('vm-1');
    await manager.removeNetwork();
    expect(await names()).toEqual(['mine0']);
  });
});

describeBackends(
  'the bridge of a chain of the user',
  (lab) => {
    it('is what the bridge plugin makes of it, but for a MAC that tells whose it is', async (context) => {
      requires(context, 'cnitool');
      await write();
      await (await lab.open({ conflist: path, shutdown: 'leave' })).setup('vm-1');
      const settings = async () => {
        const { mtu, linkinfo } = await linkOf(null, 'mine0');
        const data = Object.entries(linkinfo?.info_data ?? {}).filter(([key]) => !/(_id|_timer)$/.test(key));
        return { mtu, data, noIpv6: await readFile('/proc/sys/net/ipv6/conf/mine0/disable_ipv6', 'utf8') };
      };
      const ours = await settings();
      await ip('link', 'delete', 'mine0');
      await ip('netns', 'add', 'theirs');
      const CNI_PATH = `${debianPluginDir}:${bundledPluginDirectory()}`;
      const env = { ...process.env, CNI_PATH, NETCONFPATH: '/etc/cni' };
      await run(cnitool, ['add', 'mine', '/run/netns/theirs'], { env });
      expect(await settings()).toEqual(ours);
    });

    it('goes again with an open that fails', async () => {
      await write();
      const before = await canonicalDump();
      const options = { conflist: path, verify: 'throw', pluginDirs: ['/run/none'] } as const;
      await expectRefusal(lab.open(options), 'ERR_VERIFY', 'plugin bridge is in none of', {
        operation: 'open',
      });
      await expectUnchanged(before);
    });

    it('stays while it has a port of others', async () => {
      await write();
      const manager = await lab.open({ conflist: path });
      await ip('link', 'add', 'port0', 'master', 'mine0', 'type', 'veth', 'peer', 'name', 'peer0');
      await manager.removeNetwork();
      expect(await names()).toEqual(['mine0']);
      await ip('link', 'delete', 'port0');
      await manager.removeNetwork();
      expect(await names()).toEqual([]);
    });

    it.each([{ vlan: 7 }, { vlanTrunk: [{ id: 7 }] }])(
      'is left to the plugin, which makes it otherwise, with %j',
      async (vlan) => {
        await write(vlan);
        const manager = await lab.open({ conflist: path });
        expect(await names()).toEqual([]);
        await manager.removeNetwork();
      },
    );
  },
  ['cni'],
);
