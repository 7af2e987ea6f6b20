import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { resultObject } from '../../lib/cni/result.ts';
import type { ConfList, RuntimeConf } from '../../lib/cni/types.ts';
import { bundledPluginDirectory } from '../../lib/native/load.ts';
import { canonicalDump, expectUnchanged, withoutLinkLocal } from '../support/dump.ts';
import { addNamespace, resetLab } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import { run } from '../support/run.ts';
import { cnitool, libcniClient, pluginGenerations } from '../support/tools.mjs';
import { goldenConfList } from './cni-golden.ts';
import {
  addRecorded,
  cache,
  chainOf,
  confDir,
  delRecorded,
  installConfList,
  stateDir,
  targetOf,
} from './cni-lab.ts';

/** Another runtime, doing the same with the same plugins. */
type Other = (command: 'add' | 'check' | 'del', list: ConfList, target: RuntimeConf) => Promise<string>;

interface Counterpart {
  readonly title: string;
  readonly other: Other;
  readonly scenarios: readonly string[];
  /** cnitool makes its id of the namespace's path; anyone else has one of his own. */
  readonly id: Partial<RuntimeConf>;
}

function environmentOf({ args, capabilityArgs }: RuntimeConf, pluginDir: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    ...{ NETCONFPATH: confDir, CNI_PATH: `${pluginDir}:${bundledPluginDirectory()}` },
    ...(args.length === 0 ? {} : { CNI_ARGS: args.map((pair) => pair.join('=')).join(';') }),
    ...(Object.keys(capabilityArgs).length === 0 ? {} : { CAP_ARGS: JSON.stringify(capabilityArgs) }),
  };
}

const byCnitool =
  (pluginDir: string): Other =>
  (command, list, target) =>
    run(cnitool, [command, list.name, target.netns], { env: environmentOf(target, pluginDir) });

const byLibcni =
  (pluginDir: string): Other =>
  (command, list, target) => {
    const { containerId, netns, ifName } = target;
    const flags = ['-conf-dir', confDir, '-id', containerId, '-netns', netns, '-ifname', ifName];
    return run(libcniClient, [...flags, command, list.name], { env: environmentOf(target, pluginDir) });
  };

/** What is random in every run, and what follows from it. */
function comparable(text: string): string {
  return text
    .replaceAll(/veth[0-9a-f]{8}/g, 'veth*')
    .replaceAll(/([0-9a-f]{2}:){5}[0-9a-f]{2}/g, '*:*')
    .replaceAll(/(results\/\S+ \d+ \d+ bytes) [0-9a-f]+/g, '$1');
}

/** The kernel may make a bridge's own address later than its link. */
const seen = (dump: string) => withoutLinkLocal(comparable(dump));

const records = async () => {
  const directory = join(stateDir, 'results');
  const names = await readdir(directory);
  return Promise.all(
    names.map(async (name) => [name, comparable(await readFile(join(directory, name), 'utf8'))]),
  );
};

/** Debian's plugins stop at 1.0.0, and know neither port isolation nor masquerade by nftables. */
const scenariosOf = (generation: string) =>
  generation === 'debian' ? ['basic', 'mac'] : ['basic', 'mac', 'full', 'v6only', 'masq-nft'];

const macOptions: Partial<RuntimeConf> = {
  args: [
    ['TC_REDIRECT_TAP_NAME', 'cnrtap0'],
    ['TC_REDIRECT_TAP_UID', '1234'],
    ['TC_REDIRECT_TAP_GID', '4321'],
    ['IgnoreUnknown', '1'],
  ],
  capabilityArgs: { mac: '02:00:00:00:78:01', ips: ['10.78.1.77/24'] },
};

for (const { name: generation, directory } of pluginGenerations) {
  const others: readonly Counterpart[] = [
    { title: 'cnitool', other: byCnitool(directory), scenarios: scenariosOf(generation), id: {} },
    {
      title: 'a Go program on libcni',
      other: byLibcni(directory),
      scenarios: ['basic', 'mac'],
      id: { containerId: 'vm-1' },
    },
  ];
  describeWith(['cnitool', 'libcni', 'tun'], `with ${generation}'s plugins`, () => {
    beforeEach(resetLab);

    describe.each(others)('and $title', ({ other, scenarios, id }) => {
      async function prepare(scenario: string) {
        const list = await installConfList(goldenConfList(scenario));
        const netns = await addNamespace('cnrns1');
        const target = targetOf(netns, { ...(scenario === 'mac' ? macOptions : {}), ...id });
        return { list, target, chain: chainOf(list, [directory]) };
      }

      it.each(scenarios)('%s: what we added, it checks and deletes', async (scenario) => {
        const { list, target, chain } = await prepare(scenario);
        const before = await dumpAfterDel(chain, target);
        await addRecorded(chain, target);
        await other('check', list, target);
        await other('del', list, target);
        expect(await cache.read({ network: list.name, ...target })).toBeNull();
        await expectUnchanged(before, { seen });
      });

      it.each(scenarios)('%s: what it added, we check and delete', async (scenario) => {
        const { list, target, chain } = await prepare(scenario);
        const before = await dumpAfterDel(chain, target);
        await other('add', list, target);
        const record = await cache.read({ network: list.name, ...target });
        expect(record).toMatchObject(target);
        expect(await chain.check(target, record?.result ?? null)).toEqual([]);
        expect(await delRecorded(chain, target)).toEqual([]);
        await expectUnchanged(before, { seen });
      });

      it.each(scenarios)('%s: both leave the same', async (scenario) => {
        const theirs = await prepare(scenario);
        const printed = await other('add', theirs.list, theirs.target);
        const [theirDump, theirRecords] = [await canonicalDump(), await records()];
        await resetLab();
        const { target, chain } = await prepare(scenario);
        const { result } = await addRecorded(chain, target);
        expect(comparable(JSON.stringify(result && resultObject(result), null, 4))).toBe(comparable(printed));
        await expectUnchanged(theirDump, { seen });
        expect(await records()).toEqual(theirRecords);
      });
    });
  });
}

/** A network's first attachment leaves a bridge behind: state is compared from then on. */
async function dumpAfterDel(chain: ReturnType<typeof chainOf>, target: RuntimeConf): Promise<string> {
  await addRecorded(chain, target);
  expect(await delRecorded(chain, target)).toEqual([]);
  return canonicalDump();
}
