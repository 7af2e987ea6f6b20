import { beforeEach, describe, expect, it } from 'vitest';
import { resetLab } from '../support/lab.ts';
import { requires } from '../support/require.ts';
import { runIn } from '../support/run.ts';
import { addSandbox, config, goldenNetns, invoke, tapPlugins } from './plugin-lab.ts';
import { readGolden } from './plugin-state.ts';

const withoutMacs = (text: string) => text.replace(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, 'MAC');

describe('the protocol of tc-redirect-tap', () => {
  beforeEach(async (context) => {
    requires(context, 'tun');
    await resetLab();
    await addSandbox();
  });

  describe.each(tapPlugins)('$title', (plugin) => {
    it('VERSION', async () => {
      const versions = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];
      expect(await invoke(plugin, { command: 'VERSION', stdin: '' })).toEqual({
        exitCode: 0,
        stdout: `${JSON.stringify({ cniVersion: '1.1.0', supportedVersions: versions })}\n`,
        stderr: '',
      });
    });

    it('without a command it introduces itself', async () => {
      const { exitCode, stdout, stderr } = await invoke(plugin, { command: '' });
      expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
      expect(stderr).toContain('CNI protocol versions supported: 0.3.0, 0.3.1, 0.4.0, 1.0.0, 1.1.0\n');
    });

    it.each(['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'])(
      'writes a %s result as Go does',
      async (version) => {
        const golden = await readGolden(`versions/${version}.json`);
        const { interfaces, ips, ...rest } = JSON.parse(golden) as {
          interfaces: object[];
          ips: { interface: number }[];
        };
        // What the plugin before had said: all but the TAP and the VM's end of it.
        const previous = { ...rest, interfaces: interfaces.slice(0, 3), ips: ips.slice(0, 2) };
        const stdin = config({ cniVersion: version, prevResult: previous });
        const { stdout } = await invoke(plugin, { command: 'ADD', stdin });
        expect(withoutMacs(stdout)).toBe(withoutMacs(golden.trim()));
      },
    );

    it('takes keys in any case, as Go does', async () => {
      const previous = {
        CNIVersion: '1.0.0',
        Interfaces: [{ Name: 'eth0', Sandbox: goldenNetns }],
        IPs: [{ Address: '10.0.0.2/24', Interface: 0 }],
      };
      const { stdout } = await invoke(plugin, { command: 'ADD', stdin: config({ prevResult: previous }) });
      expect(JSON.parse(stdout)).toMatchObject({ ips: [{ address: '10.0.0.2/24' }, { interface: 2 }] });
    });

    it('writes what it does not understand of a result as Go does', async () => {
      const stdin = config({
        prevResult: {
          cniVersion: '1.0.0',
          unknown: 1,
          interfaces: [{ name: 'eth0', sandbox: goldenNetns, mtu: 9, unknown: 1 }, { name: 'other' }],
          ips: [
            { address: 'FD00:0::1/64', interface: 0 },
            { address: '10.0.0.3/24' },
            { address: '::ffff:10.0.0.2/120', gateway: '::ffff:1.2.3.4', interface: 1 },
          ],
          routes: [{ dst: '10.0.0.5/8', mtu: 0, table: 0, scope: 3 }],
          dns: { search: ['a&b<c>'], options: [] },
        },
      });
      const { stdout } = await invoke(plugin, { command: 'ADD', stdin });
      expect(stdout).toContain('"a\\u0026b\\u003cc\\u003e"');
      expect(JSON.parse(withoutMacs(stdout))).toEqual({
        cniVersion: '1.0.0',
        dns: { search: ['a&b<c>'] },
        interfaces: [
          { name: 'eth0', sandbox: goldenNetns, mtu: 9 },
          { name: 'other' },
          { name: 'tap0', sandbox: goldenNetns },
          { name: 'tap0', sandbox: 'cnitool-0a30e4aadb6e5e167d22', mac: 'MAC' },
        ],
        ips: [
          { address: 'fd00::1/64', interface: 0 },
          { address: '10.0.0.3/24' },
          { address: '10.0.0.2/24', gateway: '1.2.3.4', interface: 1 },
          { address: 'fd00::1/64', interface: 3 },
        ],
        routes: [{ dst: '10.0.0.5/8', table: 0, scope: 3 }],
      });
    });

    it('CHECK names what is missing', async () => {
      const { stdout } = await invoke(plugin, { command: 'ADD' });
      const check = async () => {
        const stdin = config({ prevResult: JSON.parse(stdout) });
        const outcome = await invoke(plugin, { command: 'CHECK', stdin });
        return outcome.stdout === '' ? 'fine' : (JSON.parse(outcome.stdout) as { msg: string }).msg;
      };
      expect(await check()).toBe('fine');
      await runIn(goldenNetns, 'tc', 'filter', 'del', 'dev', 'eth0', 'ingress');
      expect(await check()).toBe('did not find expected filter on device "eth0"');
      await runIn(goldenNetns, 'tc', 'filter', 'del', 'dev', 'tap0', 'ingress');
      expect(await check()).toBe('did not find expected filter on device "tap0"');
      await runIn(goldenNetns, 'tc', 'qdisc', 'del', 'dev', 'eth0', 'ingress');
      expect(await check()).toBe('did not find expected Qdisc on device "eth0"');
      await runIn(goldenNetns, 'ip', 'link', 'del', 'tap0');
      expect(await check()).toBe('did not find expected network device with name "tap0"');
    });
  });
});
