import { mkdir, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { resetLab, until } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import { ip, run, runIn } from '../support/run.ts';
import { cnitool, pluginGenerations } from '../support/tools.mjs';
import { goldenNetns, pluginDir, type TapPlugin, tapPlugins } from './plugin-lab.ts';
import { goldenState, isSettled, namespaceState, readGolden } from './plugin-state.ts';

interface Scenario {
  readonly name: string;
  readonly tap: string;
  readonly env: NodeJS.ProcessEnv;
  /** Whether Debian's plugins (1.1.1) can: they stop at version 1.0.0, and golden's `full` and `v6only` are 1.1.0. */
  readonly debian: boolean;
}

const scenarios: readonly Scenario[] = [
  { name: 'basic', tap: 'tap0', env: {}, debian: true },
  { name: 'full', tap: 'tap0', env: {}, debian: false },
  {
    name: 'mac',
    tap: 'cnrtap0',
    env: {
      CNI_ARGS:
        'IgnoreUnknown=1;TC_REDIRECT_TAP_NAME=cnrtap0;TC_REDIRECT_TAP_UID=1234;TC_REDIRECT_TAP_GID=4321',
      CAP_ARGS: JSON.stringify({ mac: '02:00:00:00:78:01', ips: ['10.78.1.77/24'] }),
    },
    debian: true,
  },
  { name: 'v6only', tap: 'tap0', env: {}, debian: false },
];

const confDir = '/etc/cni/conf.d';

async function install(path: string): Promise<string> {
  const text = await readGolden(path);
  const { name } = JSON.parse(text) as { name: string };
  await mkdir(confDir, { recursive: true });
  await writeFile(`${confDir}/${name}.conflist`, text);
  return name;
}

/** cnitool with real bridge and host-local, and the plugin under test after them. */
const chain =
  (plugin: TapPlugin, directory: string, env: NodeJS.ProcessEnv) =>
  (command: string, network: string): Promise<string> =>
    run(cnitool, [command, network, goldenNetns], {
      env: { ...process.env, NETCONFPATH: confDir, CNI_PATH: `${directory}:${pluginDir(plugin)}`, ...env },
    });

/** Random in every run; not what CNI or a caller chose. */
const withoutRandom = (text: string): string =>
  text
    .replace(/"(?!02:00:00:00:78:01)([0-9a-f]{2}:){5}[0-9a-f]{2}"/g, '"MAC"')
    .replace(/veth[0-9a-f]{8}/g, 'veth*');

/** Debian's plugins know only these two fields of a route, so that the others never reach the plugin under test. */
function withPlainRoutes(golden: string): string {
  const result = JSON.parse(golden) as { routes: { dst: string; gw?: string }[] };
  const routes = result.routes.map(({ dst, gw }) => (gw === undefined ? { dst } : { dst, gw }));
  return JSON.stringify({ ...result, routes }, null, 4);
}

const linkNames = async () => (await runIn(goldenNetns, 'ip', '-br', 'link')).split(/\s.*\n/).filter(Boolean);

describeWith(['cnitool', 'tun'], 'the chain leaves what the original left', () => {
  beforeEach(async () => {
    await resetLab();
    await ip('netns', 'add', 'cnrns1');
  });

  describe.each(tapPlugins)('$title', (plugin) => {
    describe.each(pluginGenerations)('after the $name plugins', ({ name: generation, directory }) => {
      const able = scenarios.filter(({ debian }) => debian || generation !== 'debian');

      it.each(able)('$name: state and result', async ({ name, tap, env }) => {
        const call = chain(plugin, directory, env);
        const network = await install(`${name}/${name}.conflist`);
        const result = await call('add', network);
        await until('addresses to settle', () => isSettled(goldenNetns));
        expect(await namespaceState(goldenNetns, tap)).toEqual(goldenState(name, tap));
        expect(withoutRandom(result)).toBe(withoutRandom(await readGolden(`${name}/add-result.json`)));

        await call('check', network);
        await call('del', network);
        expect(await linkNames()).toEqual(['lo']);
        await call('del', network);
      });

      // Debian's plugins stop at 1.0.0.
      const versions = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'].filter(
        (version) => version !== '1.1.0' || generation !== 'debian',
      );
      it.each(versions)('version %s: result', async (version) => {
        const call = chain(plugin, directory, {});
        const network = await install(`versions/net.d/cnrv${version.replaceAll('.', '')}.conflist`);
        const result = await call('add', network);
        const captured = await readGolden(`versions/${version}.json`);
        const golden = generation === 'debian' ? withPlainRoutes(captured) : captured;
        expect(withoutRandom(result.trim())).toBe(withoutRandom(golden.trim()));
        await call('del', network);
        expect(await linkNames()).not.toContain('eth0');
      });
    });
  });
});
