import { copyFile, mkdir, open, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { ConfList, RuntimeConf } from '../../lib/cni/types.ts';
import type { ErrorCode } from '../../lib/errors.ts';
import { bundledPluginDirectory } from '../../lib/native/load.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { addNamespace, resetLab } from '../support/lab.ts';
import { type Misbehaviour, untilNoSurvivors, wrap, wrapperDir } from '../support/plugin-wrappers.ts';
import { describeWith } from '../support/require.ts';
import { ip } from '../support/run.ts';
import { pluginGenerations } from '../support/tools.mjs';
import { goldenConfList } from './cni-golden.ts';
import { chainOf, installConfList, targetOf } from './cni-lab.ts';

const codes: Readonly<Record<Misbehaviour, ErrorCode>> = {
  'reports an error': 'ERR_PLUGIN_FAILED',
  'fails silently': 'ERR_PLUGIN_SILENT',
  'prints garbage': 'ERR_PLUGIN_OUTPUT_INVALID',
  'prints 100 MB': 'ERR_PLUGIN_OUTPUT_TOO_LARGE',
  'hangs with a child': 'ERR_PLUGIN_TIMEOUT',
  'is killed': 'ERR_PLUGIN_KILLED',
};
const misbehaviours = Object.keys(codes) as Misbehaviour[];
const chain = ['bridge', 'tc-redirect-tap'] as const;

for (const { name: generation, directory } of pluginGenerations) {
  const realDirOf = (type: string) => (type === 'tc-redirect-tap' ? bundledPluginDirectory() : directory);

  describeWith(['tun'], `with ${generation}'s plugins`, () => {
    let list: ConfList;
    let target: RuntimeConf;
    let before: string;
    const wrapped = ({ hangs = false } = {}) =>
      chainOf(list, [wrapperDir, directory], hangs ? { timeoutMs: 5_000 } : {});
    const real = () => chainOf(list, [directory]);

    /** The network's first attachment leaves a bridge and a store behind; from then on nothing may change. */
    beforeEach(async () => {
      await resetLab();
      await rm(wrapperDir, { recursive: true, force: true });
      list = await installConfList(goldenConfList('basic'));
      target = targetOf(await addNamespace('vm'));
      await real().del(target, await real().add(target));
      before = await canonicalDump();
    });
    afterEach(() => rm(wrapperDir, { recursive: true, force: true }));

    const undone = async () => {
      await rm(wrapperDir, { recursive: true, force: true });
      await expectUnchanged(before);
      await untilNoSurvivors();
    };

    const cases = chain.flatMap((type) => misbehaviours.map((misbehaviour) => [type, misbehaviour] as const));
    it.each(cases)('nothing leaks when %s has done its work and %s', async (type, misbehaviour) => {
      await wrap(type, realDirOf(type), 'ADD', misbehaviour);
      const hangs = misbehaviour === 'hangs with a child';
      await expect(wrapped({ hangs }).add(target)).rejects.toMatchObject({
        ...{ code: codes[misbehaviour], rolledBack: true, errors: [] },
        ...{ step: `plugin:${type} ADD`, plugin: { type, command: 'ADD' } },
      });
      await undone();
    });

    it('nothing leaks when an address plugin hangs under the bridge plugin', async () => {
      await wrap('host-local', directory, 'ADD', 'hangs with a child');
      await expect(wrapped({ hangs: true }).add(target)).rejects.toMatchObject({
        code: 'ERR_PLUGIN_TIMEOUT',
        step: 'plugin:bridge ADD',
        rolledBack: true,
      });
      await undone();
    });

    it('nothing leaks when the signal aborts while a plugin works', async () => {
      await wrap('tc-redirect-tap', bundledPluginDirectory(), 'ADD', 'hangs with a child');
      const controller = new AbortController();
      const added = wrapped().add(target, {
        signal: controller.signal,
        afterPlugin: () => void setTimeout(() => controller.abort(), 200),
      });
      await expect(added).rejects.toMatchObject({ name: 'AbortError', rolledBack: true });
      await undone();
    });

    it.each(chain)('DEL goes past %s, reports it, and can be done again', async (type) => {
      const result = await real().add(target);
      await wrap(type, '/none', 'DEL', 'reports an error');
      expect(await wrapped().del(target, result)).toMatchObject([
        { code: 'ERR_PLUGIN_FAILED', plugin: { type, command: 'DEL', code: 100, details: 'on purpose' } },
      ]);
      const other = type === 'bridge' ? 'tap0' : 'eth0';
      expect(await ip('-n', 'vm', 'link', 'show')).not.toContain(`${other}:`);
      expect(await real().del(target, result)).toEqual([]);
      expect(await real().del(target, result)).toEqual([]);
      await undone();
    });

    it('frees the address when the namespace is gone', async () => {
      const result = await real().add(target);
      await ip('netns', 'delete', 'vm');
      expect(await real().del({ ...target, netns: '' }, result)).toEqual([]);
      expect((await readdir('/var/lib/cni/networks/cnrbasic')).filter((name) => /^[0-9]/.test(name))).toEqual(
        [],
      );
    });

    it('refuses this process’s own namespace by any path, before any work', async () => {
      await ip('netns', 'attach', 'own', String(process.pid));
      const paths = [
        '/var/run/netns/own',
        '/run/netns/own',
        `/proc/${process.pid}/ns/net`,
        '/proc/self/ns/net',
      ];
      before = await canonicalDump();
      for (const netns of paths) {
        const refusal = { code: 'ERR_NETNS_HOST', path: netns };
        await expect(real().add({ ...target, netns })).rejects.toMatchObject(refusal);
        await expect(real().del({ ...target, netns }, null)).rejects.toMatchObject(refusal);
      }
      await undone();
    });

    it.each([
      ['has no x bit', async (file: string) => writeFile(file, '#!/bin/sh\n', { mode: 0o644 })],
      ['is no program', async (file: string) => writeFile(file, 'MZ\0\0', { mode: 0o755 })],
      ['names no interpreter', async (file: string) => writeFile(file, '#!/none\n', { mode: 0o755 })],
    ])('tells a plugin that %s', async (_title, make) => {
      const file = join(wrapperDir, 'tc-redirect-tap');
      await mkdir(wrapperDir, { recursive: true });
      await make(file);
      await expect(wrapped().add(target)).rejects.toMatchObject({
        ...{ code: 'ERR_PLUGIN_NOT_EXECUTABLE', path: file, rolledBack: true },
        ...{ plugin: { type: 'tc-redirect-tap' } },
      });
      await undone();
    });

    it('waits for a plugin that is being written, and does not take it for a success when it stays so', async () => {
      const file = join(wrapperDir, 'bridge');
      await mkdir(dirname(file), { recursive: true });
      await copyFile(join(directory, 'bridge'), file);
      const writer = await open(file, 'r+');
      await expect(wrapped().add(target)).rejects.toMatchObject({
        code: 'ERR_PLUGIN_NOT_EXECUTABLE',
        cause: { code: 'ETXTBSY' },
      });
      const soon = setTimeout(() => void writer.close(), 50);
      const result = await wrapped().add(target);
      clearTimeout(soon);
      expect(await wrapped().del(target, result)).toEqual([]);
      await undone();
    });

    it('says so when no address is left', async () => {
      const small = { ...goldenConfList('basic'), name: 'small' };
      const [bridge, tap] = small.plugins;
      const ipam = {
        type: 'host-local',
        subnet: '10.78.1.0/24',
        rangeStart: '10.78.1.9',
        rangeEnd: '10.78.1.9',
      };
      const full = chainOf(await installConfList({ ...small, plugins: [{ ...bridge, ipam }, tap] }), [
        directory,
      ]);
      const first = await full.add(target);
      const second = targetOf(await addNamespace('vm2'));
      before = await canonicalDump();
      await expect(full.add(second)).rejects.toMatchObject({
        code: 'ERR_ADDRESSES_EXHAUSTED',
        plugin: { type: 'bridge', code: 999 },
        rolledBack: true,
      });
      await undone();
      expect(await full.del(target, first)).toEqual([]);
    });
  });
}
