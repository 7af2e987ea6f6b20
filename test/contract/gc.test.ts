import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { addNamespace, until } from '../support/lab.ts';
import { wrapperDir } from '../support/plugin-wrappers.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip, run } from '../support/run.ts';
import { debianPluginDir } from '../support/tools.mjs';
import { Vmms } from '../support/vmm.ts';
import { describeBackends, describeLayouts } from './fixture.ts';

describeLayouts('gc', (lab) => {
  it('removes all but what is to be kept', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    const before = await canonicalDump();
    for (const vmId of ['vm-2', 'vm-3']) await manager.setup(vmId, { containerId: `id-of-${vmId}` });
    const { removed, failed } = await manager.gc({ keep: ['vm-1', 'vm-9'] });
    expect(removed).toHaveLength(2);
    for (const vmId of ['vm-2', 'vm-3'])
      expect(removed).toContainEqual({ vmId, containerId: `id-of-${vmId}` });
    expect(failed).toEqual([]);
    await expectUnchanged(before);
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
    expect(await manager.gc({ keep: ['vm-1'] })).toEqual({ removed: [], failed: [] });
  });

  it('removes what others made, and VMs without a namespace', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    const other = await lab.open({ shutdown: 'leave' });
    await other.setup('vm-1');
    await other.setup('vm-2');
    await other.close();
    await ip('netns', 'delete', 'vulcan-vm-2');
    const { removed, failed } = await manager.gc({ keep: [] });
    expect(removed.map(({ vmId }) => vmId).sort()).toEqual(['vm-1', 'vm-2']);
    expect(failed).toEqual([]);
    await expectUnchanged(before);
  });

  it('removes a namespace of ours that has no record', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    await manager.setup('vm-1', { containerId: 'other' });
    await rm(`${lab.stateDir}/results/fcnet-other-eth0`);
    const removed = [{ vmId: 'vm-1', containerId: 'other' }];
    expect(await manager.gc({ keep: [] })).toEqual({ removed, failed: [] });
    await expectUnchanged(before);
  });

  it('releases an address that a host-local was about to give away when it was killed', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    const before = await canonicalDump();
    await writeFile('/run/cni/networks/fcnet/10.168.0.77', '');
    expect(await manager.gc({ keep: ['vm-1'] })).toEqual({ removed: [], failed: [] });
    await expectUnchanged(before);
  });

  it('has its turn while set-ups go on without a pause', async () => {
    const busy = await lab.open();
    const manager = await lab.open();
    const vmIds = ['vm-1', 'vm-2', 'vm-3', 'vm-4'];
    let over = false;
    let done = 0;
    const lanes = vmIds.map(async (vmId) => {
      for (; !over; done++) {
        await busy.setup(vmId);
        await busy.teardown(vmId);
      }
    });
    try {
      for (let turn = 0; turn < 3; turn++) {
        const before = done;
        await until('set-ups to go on', () => done > before);
        expect((await manager.gc({ keep: vmIds })).failed).toEqual([]);
      }
    } finally {
      over = true;
      await Promise.all(lanes);
    }
  });

  it('leaves other networks, foreign namespaces and files alone', async () => {
    const blue = await lab.open({ network: 'blue', bridge: 'blue0', subnet: '10.9.0.0/24' });
    const red = await lab.open();
    await blue.setup('vm-1');
    await addNamespace('vulcan-foreign');
    await addNamespace('someone');
    await writeFile(`${lab.stateDir}/results/someones-file`, 'not a record');
    const before = await canonicalDump();
    expect(await red.gc({ keep: [] })).toEqual({ removed: [], failed: [] });
    await expectUnchanged(before);
  });
});

const conflist = '/etc/cni/mine.conflist';
const told = '/run/told';
const mayGoOn = '/run/may-go-on';
const managerServer = fileURLToPath(new URL('../support/manager-server.mjs', import.meta.url));

/** A bridge plugin of CNI 1.1.0, which Debian's is not. */
const bridgeThat = (...lines: readonly string[]) => `#!/bin/sh
${lines.join('\n')}
sed 's/"cniVersion":"1.1.0"/"cniVersion":"1.0.0"/g' | ${debianPluginDir}/bridge
`;

/** What opens a network of such a bridge plugin. */
async function prepare(bridge: string): Promise<NetworkManagerOptions> {
  const ipam = { type: 'host-local', subnet: '10.9.0.0/24', dataDir: '/run/cni/networks' };
  const plugins = [{ type: 'bridge', bridge: 'mine0', isGateway: true, ipam }, { type: 'tc-redirect-tap' }];
  await writeFile(conflist, JSON.stringify({ cniVersion: '1.1.0', name: 'mine', plugins }));
  await mkdir(wrapperDir, { recursive: true });
  await writeFile(`${wrapperDir}/bridge`, bridge, { mode: 0o755 });
  return { conflist, pluginDirs: [wrapperDir, debianPluginDir], shutdown: 'leave' };
}

describeBackends(
  'gc of a chain of CNI 1.1.0',
  (lab) => {
    const vmms = new Vmms();
    afterEach(async () => {
      await vmms.end();
      for (const path of [wrapperDir, told]) await rm(path, { recursive: true, force: true });
    });

    it('tells plugins of all that has its record: also of what it restored, and of what it could not remove, and elsewhere', async () => {
      const keepsWhatItIsTold = `[ "$CNI_COMMAND" != GC ] || exec cat >${told}`;
      const undoesNothing = '[ "$CNI_COMMAND $CNI_CONTAINERID" != "DEL vm-3" ] || exit 7';
      const options = await prepare(bridgeThat(keepsWhatItIsTold, undoesNothing));
      const manager = await lab.open(options);
      await (await lab.open({ ...options, stateDir: '/run/vulcan-net/elsewhere' })).setup('vm-5');
      const { netnsPath } = await manager.setup('vm-1');
      for (const vmId of ['vm-2', 'vm-3', 'vm-4']) await manager.setup(vmId);
      await vmms.start(netnsPath);
      await rm(`${lab.stateDir}/results/mine-vm-1-eth0`);
      expect(await manager.gc({ keep: ['vm-1', 'vm-2'] })).toMatchObject({
        removed: [{ vmId: 'vm-4' }],
        failed: [{ vmId: 'vm-3', containerId: 'vm-3' }],
      });
      const valid: { containerID: string }[] = JSON.parse(await readFile(told, 'utf8'))[
        'cni.dev/valid-attachments'
      ];
      expect(valid.map(({ containerID }) => containerID).sort()).toEqual(['vm-1', 'vm-2', 'vm-3', 'vm-5']);

      await rm(told);
      await mkdir('/run/cni/results', { recursive: true });
      const saysNotWhose = '/run/cni/results/mine-of-another-eth0';
      await writeFile(saysNotWhose, '{"cniVersion":"0.4.0"}');
      await manager.gc({ keep: ['vm-1', 'vm-2', 'vm-3'] });
      expect(existsSync(told)).toBe(false);
      await rm(saysNotWhose);
    });

    it('whose process is killed: set-ups wait for the plugin that it has left', async () => {
      await run('mkfifo', [mayGoOn]);
      const gate = await open(mayGoOn, 'r+');
      // It frees what it was not told of, whatever has come since.
      const frees = `cat >${told}; read _ <${mayGoOn}; rm -f /run/cni/networks/mine/10.*; exit 0`;
      const options = await prepare(bridgeThat(`if [ "$CNI_COMMAND" = GC ]; then ${frees}; fi`));
      const manager = await lab.open(options);
      const child = spawn(process.execPath, [managerServer], { stdio: ['pipe', 'pipe', 'inherit'] });
      try {
        const ask = (verb: string, argument: unknown) =>
          child.stdin.write(`${JSON.stringify({ id: 1, verb, argument })}\n`);
        ask('open', { ...options, backend: lab.backend, verify: 'off' });
        await once(child.stdout, 'data');
        ask('gc', []);
        await until('the plugin', () => existsSync(told));
        child.kill('SIGKILL');
        await once(child, 'exit');
        const early = manager.setup('vm-1', { timeoutMs: 2_000 });
        await expectRefusal(early, 'ERR_LOCK_TIMEOUT', 'network-mine');
        const setup = manager.setup('vm-1');
        await gate.write('\n');
        const { guestIp } = await setup;
        expect(existsSync(`/run/cni/networks/mine/${guestIp}`)).toBe(true);
      } finally {
        child.kill('SIGKILL');
        await gate.write('\n');
        await gate.close();
        await rm(mayGoOn);
      }
    });
  },
  ['cni'],
);
