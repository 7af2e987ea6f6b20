import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { bundledPluginDirectory } from '../../lib/native/load.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { addNamespace } from '../support/lab.ts';
import { requires } from '../support/require.ts';
import { run } from '../support/run.ts';
import { cnitool, debianPluginDir, libcniClient, upstreamPluginDir } from '../support/tools.mjs';
import { describeBackends } from './fixture.ts';
import { untilHostLinks } from './oracles.ts';

const confDir = '/etc/cni/conf.d';
const stateDir = '/var/lib/cni';

const generations = [
  { name: 'debian-plugins', directory: debianPluginDir },
  { name: 'upstream-plugins', directory: upstreamPluginDir },
] as const;

/** The id that cnitool makes of a namespace's path. */
const cnitoolId = (netns: string) =>
  `cnitool-${createHash('sha512').update(netns).digest('hex').slice(0, 20)}`;

/** Other runtimes, which run the plugins of one generation. */
function runtimesOn(pluginDir: string) {
  const env = {
    ...process.env,
    ...{ NETCONFPATH: confDir, CNI_PATH: `${pluginDir}:${bundledPluginDirectory()}` },
  };
  return {
    byCnitool: (command: 'add' | 'check' | 'del', netns: string) =>
      run(cnitool, [command, 'fcnet', netns], { env }),
    byLibcni: (command: 'add' | 'check' | 'del', id: string, netns: string) => {
      const flags = ['-conf-dir', confDir, '-id', id, '-netns', netns, '-ifname', 'eth0'];
      return run(libcniClient, [...flags, command, 'fcnet'], { env });
    },
  };
}

describeBackends('other runtimes', (lab) => {
  describe.each(generations)('with $name', ({ name, directory }) => {
    const { byCnitool, byLibcni } = runtimesOn(directory);
    const open = () => lab.open({ stateDir, pluginDirs: [directory] });

    beforeEach((context) => requires(context, 'cnitool', 'libcni', name));

    it('cnitool checks and deletes what we set up under its id', async () => {
      const manager = await open();
      await manager.setup('vm-0');
      await manager.setup('vm-2');
      await manager.teardown('vm-2');
      const before = await canonicalDump();
      const netns = '/var/run/netns/vulcan-vm-1';
      const { guestIp } = await manager.setup('vm-1', { containerId: cnitoolId(netns) });
      await byCnitool('check', netns);
      await byCnitool('del', netns);
      expect(await readdir('/run/cni/networks/fcnet')).not.toContain(guestIp);
      await untilHostLinks('vulcan-net fcnet vm-0 eth0');
      expect((await manager.list()).map(({ vmId }) => vmId)).toEqual(['vm-0']);
      await manager.teardown('vm-1');
      await expectUnchanged(before);
    });

    it('a program on libcni checks and deletes what we set up under the usual id', async () => {
      const manager = await open();
      await manager.setup('vm-0');
      const before = await canonicalDump();
      const { netnsPath } = await manager.setup('vm-1');
      await byLibcni('check', 'vm-1', netnsPath);
      await byLibcni('del', 'vm-1', netnsPath);
      expect((await manager.list()).map(({ vmId }) => vmId)).toEqual(['vm-0']);
      await manager.teardown('vm-1');
      await expectUnchanged(before);
    });

    it('we list, check and delete what cnitool added', async () => {
      const manager = await open();
      await manager.setup('vm-0');
      const netns = await addNamespace('web');
      const before = await canonicalDump();
      await byCnitool('add', netns);
      const id = cnitoolId(netns);
      const listed = (await manager.list()).find(({ containerId }) => containerId === id);
      expect(listed).toMatchObject({ vmId: null, netnsPath: netns, alive: true });
      expect(listed?.config).toMatchObject({ guestIp: '10.168.0.3', tapName: 'tap0' });
      expect(await manager.check(id)).toEqual({ ok: true, differences: [] });
      await manager.teardown(id);
      await expectUnchanged(before);
    });

    it.each(['written', 'older'])('keep theirs while a record of theirs is %s', async (state) => {
      await (await open()).close();
      const netns = await addNamespace('web');
      await byCnitool('add', netns);
      const record = `${stateDir}/results/fcnet-${cnitoolId(netns)}-eth0`;
      const { result } = JSON.parse(await readFile(record, 'utf8'));
      // Libcni writes it in place; before version 0.8 it wrote the result alone.
      await writeFile(record, state === 'written' ? '' : JSON.stringify(result));
      const before = await canonicalDump();
      const manager = await open();
      expect(manager.recovery).toMatchObject({ removed: [], failed: [] });
      expect(await manager.repair()).toMatchObject({ ok: true });
      expect(await manager.gc({ keep: [] })).toEqual({ removed: [], failed: [] });
      await expectUnchanged(before);
    });

    it('share their addresses with us', async () => {
      const manager = await open();
      const ips = new Set<string>();
      for (let round = 0; round < 3; round++) {
        ips.add((await manager.setup(`vm-${round}`)).guestIp);
        const result = JSON.parse(await byCnitool('add', await addNamespace(`web${round}`))) as {
          readonly ips: readonly { readonly address: string }[];
        };
        ips.add(result.ips[0]?.address.replace('/24', '') ?? '');
      }
      expect(ips.size).toBe(6);
      const { removed } = await manager.gc({ keep: [] });
      expect(removed).toHaveLength(6);
      expect((await readdir('/run/cni/networks/fcnet')).filter((name) => name.startsWith('10.'))).toEqual([]);
    });
  });
});
