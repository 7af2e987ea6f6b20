import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadConfList } from '../../lib/cni/discovery.ts';
import { probePlugin } from '../../lib/cni/probe.ts';
import { resultObject } from '../../lib/cni/result.ts';
import type { JsonObject } from '../../lib/cni/types.ts';
import { loadNative } from '../../lib/native/load.ts';
import { resetLab, until } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import { ip } from '../support/run.ts';
import { pluginGenerations } from '../support/tools.mjs';
import { golden, goldenOptions, scenariosOf, withoutRandom } from './cni-golden.ts';
import { addRecorded, cache, chainOf, confDir, delRecorded, optionsFor, targetOf } from './cni-lab.ts';
import { goldenNetns } from './plugin-lab.ts';
import { goldenState, isSettled, namespaceState } from './plugin-state.ts';

async function install(path: string) {
  await mkdir(confDir, { recursive: true });
  await writeFile(`${confDir}/golden.conflist`, golden(path));
  return loadConfList(loadNative(), `${confDir}/golden.conflist`);
}

/** Debian's plugins know only these two fields of a route. */
const plainRoutes = (result: JsonObject): JsonObject => ({
  ...result,
  routes: (result['routes'] as readonly JsonObject[]).map(({ dst, gw }) =>
    gw === undefined ? { dst } : { dst, gw },
  ),
});

describeWith(['tun'], 'the chain that we run leaves what was recorded', () => {
  beforeEach(async () => {
    await resetLab();
    // Its loopback stays down, as it was recorded.
    await ip('netns', 'add', 'cnrns1');
  });

  describe.each(pluginGenerations)("with $name's plugins", ({ name: generation, directory }) => {
    it.each(scenariosOf(generation))('%s: state, result and record', async (scenario) => {
      const chain = chainOf(await install(`${scenario}/${scenario}.conflist`), [directory]);
      const target = targetOf(goldenNetns, goldenOptions[scenario]);
      const record = await addRecorded(chain, target);
      const result = JSON.stringify(record.result && resultObject(record.result), null, 4);
      expect(withoutRandom(result)).toBe(withoutRandom(golden(`${scenario}/add-result.json`)));
      await until('addresses to settle', () => isSettled(goldenNetns));
      const tap = scenario === 'mac' ? 'cnrtap0' : 'tap0';
      expect(await namespaceState(goldenNetns, tap)).toEqual(goldenState(scenario, tap));
      const name = `${chain.list.name}-${target.containerId}-eth0`;
      const written = await readFile(`${cache.directory}/${name}`, 'utf8');
      expect(withoutRandom(written)).toBe(
        withoutRandom(golden(`${scenario}/1-after-add/var-lib-cni/results/${name}`)),
      );
      expect(await delRecorded(chain, target)).toEqual([]);
      expect(await delRecorded(chain, target)).toEqual([]);
    });

    const versions = ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];
    it.each(versions.filter((version) => version !== '1.1.0' || generation !== 'debian'))(
      'version %s: negotiated, checked, printed and recorded',
      async (version) => {
        const network = `cnrv${version.replaceAll('.', '')}`;
        const chain = chainOf(await install(`versions/net.d/${network}.conflist`), [directory]);
        for (const { type } of chain.list.plugins) {
          expect((await probePlugin(optionsFor([directory]), type)).versions).toContain(version);
        }
        const { result } = await addRecorded(chain, targetOf(goldenNetns));
        const expected = JSON.parse(golden(`versions/${version}.json`));
        const known = generation === 'debian' ? plainRoutes(expected) : expected;
        expect(withoutRandom(JSON.stringify(result && resultObject(result), null, 4))).toBe(
          withoutRandom(JSON.stringify(known, null, 4)),
        );
        if (version >= '0.4.0') expect(await chain.check(targetOf(goldenNetns), result)).toEqual([]);
        expect(await delRecorded(chain, targetOf(goldenNetns))).toEqual([]);
      },
    );
  });
});
