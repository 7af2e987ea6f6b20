import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CniArg, JsonObject } from '../../lib/cni/types.ts';
import { addNamespace, resetLab } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import { run } from '../support/run.ts';
import { cnitool, noopPluginDir } from '../support/tools.mjs';
import { addRecorded, cache, chainOf, confDir, delRecorded, installConfList, targetOf } from './cni-lab.ts';

/** CNI's own test plugin writes down each call: its stdin to the byte, and the six variables. */

const logDir = '/run/noop';

interface Variant {
  readonly title: string;
  readonly cniVersion: string;
  readonly capabilities?: JsonObject;
  readonly args?: readonly CniArg[];
  readonly extra?: JsonObject;
}

const result = {
  interfaces: [
    { name: 'br0', mac: '02:00:00:00:00:01' },
    { name: 'eth0', mac: '02:00:00:00:00:02', sandbox: '/run/netns/noop' },
  ],
  ips: [{ version: '4', address: '10.1.0.5/16', gateway: '10.1.0.1', interface: 1 }],
  routes: [{ dst: '0.0.0.0/0', mtu: 1400, table: 0 }, { dst: 'FD00:0::/64' }],
  unknown: 'dropped',
};

const variants: readonly Variant[] = ['0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'].flatMap(
  (cniVersion) => [
    { title: `${cniVersion}`, cniVersion },
    {
      title: `${cniVersion} with arguments, capabilities and a conflist full of corners`,
      cniVersion,
      capabilities: { mac: '02:00:00:00:00:01', ips: ['10.1.0.5/16'], unwanted: { z: 1, a: [] } },
      args: [
        ['K8S', 'a b'],
        ['IgnoreUnknown', '1'],
      ],
      extra: {
        ...{
          name: 'own',
          cniVersion: '0.1.0',
          zebra: 1e21,
          small: 1e-7,
          '<html>': '&\u2028',
          10: 'ten',
          9: 'nine',
        },
        ...{ capabilities: { mac: true, ips: true, unwanted: false }, runtimeConfig: { kept: false } },
        ...{ args: { cni: { ips: [] } }, 'cni.dev/thing': null, nested: { b: [{ d: 1, c: 2 }], a: true } },
      },
    },
  ],
);

function conflistOf({ cniVersion, extra = {} }: Variant) {
  const plugin = (name: string, more: JsonObject) => ({
    ...more,
    ...{ type: 'noop', debugFile: `${logDir}/${name}.debug`, commandLog: `${logDir}/${name}.log` },
  });
  return {
    ...{ cniVersion, name: 'noop-net', disableCheck: 'false', unknownKey: [1, 2] },
    plugins: [plugin('first', extra), plugin('second', {})],
  };
}

async function prepareLogs(cniVersion: string): Promise<void> {
  await mkdir(logDir, { recursive: true });
  const legacy = { ip4: { ip: '10.1.0.5/16', gateway: '10.1.0.1', routes: [{ dst: '0.0.0.0/0' }] } };
  const first = { cniVersion, ...(cniVersion === '0.2.0' ? legacy : result) };
  const second = { ...first, dns: { nameservers: ['1.1.1.1'] } };
  for (const [name, reported] of Object.entries({ first, second })) {
    const debug = { ReportResult: JSON.stringify(reported) };
    await writeFile(`${logDir}/${name}.debug`, JSON.stringify(debug));
    await writeFile(`${logDir}/${name}.log`, '');
  }
}

interface Entry {
  readonly Command: string;
  readonly CmdArgs: { readonly StdinData: string };
}

/** stdin is readable, so that a difference is too. */
async function recorded(name: string) {
  const text = await readFile(`${logDir}/${name}.log`, 'utf8');
  const entries = text === '' ? [] : (JSON.parse(text) as readonly Entry[]);
  return entries.map(({ Command, CmdArgs }) => ({
    Command,
    ...CmdArgs,
    StdinData: Buffer.from(CmdArgs.StdinData, 'base64').toString(),
  }));
}

const recordedAll = async () => ({ first: await recorded('first'), second: await recorded('second') });

async function byCnitool({ capabilities, args }: Variant, netns: string, command: string): Promise<void> {
  const env = {
    ...process.env,
    ...{ NETCONFPATH: confDir, CNI_PATH: noopPluginDir, CNI_IFNAME: 'eth0' },
    ...(capabilities === undefined ? {} : { CAP_ARGS: JSON.stringify(capabilities) }),
    ...(args === undefined ? {} : { CNI_ARGS: args.map((pair) => pair.join('=')).join(';') }),
  };
  await run(cnitool, [command, 'noop-net', netns], { env });
}

describeWith(['cnitool', 'noop'], 'a chain of noop plugins records the same from us as from cnitool', () => {
  beforeEach(resetLab);
  afterEach(() => rm(logDir, { recursive: true, force: true }));

  it.each(variants)('$title', async (variant) => {
    const netns = await addNamespace('noop');
    const atLeast040 = variant.cniVersion >= '0.4.0';
    const list = await installConfList(conflistOf(variant));
    const { capabilities: capabilityArgs = {}, args = [] } = variant;
    const target = targetOf(netns, { capabilityArgs, args });
    const path = cache.pathOf({ network: list.name, ...target });

    await prepareLogs(variant.cniVersion);
    for (const command of ['status', 'add']) await byCnitool(variant, netns, command);
    const theirRecord = await readFile(path, 'utf8');
    if (atLeast040) await byCnitool(variant, netns, 'check');
    for (const command of ['del', 'del', 'gc']) await byCnitool(variant, netns, command);
    const theirs = await recordedAll();
    const commands = ['STATUS', 'ADD', 'CHECK', 'DEL', 'DEL', 'GC'].filter(
      (command) =>
        (atLeast040 || command !== 'CHECK') &&
        (variant.cniVersion === '1.1.0' || (command !== 'STATUS' && command !== 'GC')),
    );
    expect(theirs.second.map(({ Command }) => Command)).toEqual(commands);

    await prepareLogs(variant.cniVersion);
    const chain = chainOf(list, [], { pluginDirs: [noopPluginDir], environment: { PATH: dirname(cnitool) } });
    expect(await chain.status()).toEqual([]);
    const record = await addRecorded(chain, target);
    const ourRecord = await readFile(path, 'utf8');
    if (atLeast040) expect(await chain.check(target, record.result)).toEqual([]);
    for (let i = 0; i < 2; i++) await delRecorded(chain, target);
    await chain.gc(null);

    expect(await recordedAll()).toEqual(theirs);
    expect(ourRecord).toBe(theirRecord);
  });
});
