import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { beforeEach, expect, it } from 'vitest';
import { bundledPluginDirectory } from '../../lib/native/load.ts';
import { NetworkManager } from '../../lib/network-manager.ts';
import { endStateDifferences } from '../support/end-state-differences.mjs';
import { netnsDir, resetLab, until } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import { ip, run } from '../support/run.ts';
import { cnitool, upstreamPluginDir } from '../support/tools.mjs';
import { cnitoolId, confDir, stateDir } from './cni-lab.ts';
import { endState } from './end-state.ts';
import { isSettled } from './plugin-state.ts';

const netns = `${netnsDir}/vulcan-vm-1`;
const conflist = `${confDir}/fcnet.conflist`;

/** In an empty lab; what stays is the network's conflist. */
async function natively(): Promise<ReadonlySet<string>> {
  const manager = await NetworkManager.open({
    ...{ backend: 'native', stateDir, verify: 'off', shutdown: 'leave' },
  });
  await manager.setup('vm-1', { containerId: cnitoolId(netns) });
  await manager.close();
  return endState(stateDir, 'vm-1');
}

/** By the newest plugins and cnitool, with the same conflist and nothing else of this library. */
async function byChain(text: string): Promise<ReadonlySet<string>> {
  await mkdir(confDir, { recursive: true });
  await writeFile(conflist, text);
  await ip('netns', 'add', 'vulcan-vm-1');
  const CNI_PATH = `${upstreamPluginDir}:${bundledPluginDirectory()}`;
  await run(cnitool, ['add', 'fcnet', netns], { env: { ...process.env, CNI_PATH, NETCONFPATH: confDir } });
  await until('addresses to settle', () => isSettled(netns));
  return endState(stateDir, 'vm-1');
}

const without = (one: ReadonlySet<string>, other: ReadonlySet<string>) =>
  [...one].filter((line) => !other.has(line));

describeWith(['lab', 'tun', 'upstream-plugins', 'cnitool'], 'a native attachment', () => {
  beforeEach(resetLab);

  it('is what the chain builds, but for what is listed', async () => {
    const native = await natively();
    const text = await readFile(conflist, 'utf8');
    await resetLab();
    const chain = await byChain(text);
    const [onlyNative, onlyChain] = [without(native, chain), without(chain, native)];
    const isListed = (side: 'native' | 'chain') => (line: string) =>
      endStateDifferences.some((difference) => difference[side]?.test(line) ?? false);
    expect({
      native: onlyNative.filter((line) => !isListed('native')(line)),
      chain: onlyChain.filter((line) => !isListed('chain')(line)),
    }).toEqual({ native: [], chain: [] });
    const isThere = ({ native: own, chain: theirs }: (typeof endStateDifferences)[number]) =>
      (own === null || onlyNative.some((line) => own.test(line))) &&
      (theirs === null || onlyChain.some((line) => theirs.test(line)));
    expect(endStateDifferences.filter((difference) => !isThere(difference))).toEqual([]);
  });
});
