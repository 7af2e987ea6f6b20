/** The contenders of the `setup` benchmark, by the names they have in its tables. */
import { join } from 'node:path';
import { buildFloor, buildGoPeer, scriptPeer } from '../build.mjs';
import { prepareStage } from '../stage.mjs';
import { cnitoolContender } from './cnitool.mjs';
import { managerContender } from './manager.mjs';
import { peerContender } from './peer.mjs';

export const FLOOR = 'floor (C)';
export const CHAIN = 'chain (cnitool)';
export const ORIGINAL_CHAIN = 'chain, original tc-redirect-tap';
export const SCRIPT = 'script (ip, tc, nft)';
export const GO = 'Go (netlink, nftables)';
export const OURS = 'vulcan-net, native';

/** Those that start processes for each VM: a thousand VMs take them minutes. */
export const slow = [CHAIN, SCRIPT];

const peer = async (name, short, octet, file) => peerContender(name, file, await prepareStage(short, octet));

const chain = (name, short, octet, { cnitool, workDir }, pluginDirs) =>
  cnitoolContender(name, {
    cnitool,
    pluginDirs,
    network: `bench-${short}`,
    bridge: `${short}br0`,
    subnet: `10.${octet}.0.0/16`,
    workDir: join(workDir, short),
  });

export const oursOptions = (short, octet) => ({
  backend: 'native',
  network: `bench-${short}`,
  bridge: `${short}br0`,
  subnet: `10.${octet}.0.0/16`,
});

/**
 * Opens all that can be opened; `missing` says why the others are not there.
 * @returns {Promise<{ contenders: import('../rounds.mjs').Contender[], missing: { contender: string, reason: string }[] }>}
 */
export async function openContenders(tools) {
  const { pluginDirs, originalPluginDirs } = tools;
  const openers = new Map([
    [FLOOR, async (name) => peer(name, 'floor', 171, await buildFloor())],
    [CHAIN, (name) => chain(name, 'chain', 172, tools, pluginDirs)],
    [SCRIPT, (name) => peer(name, 'script', 173, scriptPeer)],
    [GO, async (name) => peer(name, 'go', 174, await buildGoPeer())],
    [OURS, (name) => managerContender(name, oursOptions('ours', 175))],
  ]);
  if (originalPluginDirs) {
    openers.set(ORIGINAL_CHAIN, (name) => chain(name, 'original', 176, tools, originalPluginDirs));
  }
  const contenders = [];
  const missing = [];
  for (const [name, open] of openers) {
    try {
      contenders.push(await open(name));
    } catch (error) {
      missing.push({ contender: name, reason: error.message });
    }
  }
  return { contenders, missing };
}
