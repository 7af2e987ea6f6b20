import { channel } from 'node:diagnostics_channel';
import { readdir, readFile } from 'node:fs/promises';
import { expect } from 'vitest';
import type { NetworkManager } from '../../lib/network-manager.ts';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import { canonicalDump } from '../support/dump.ts';
import { until } from '../support/lab.ts';
import type { ContractLab } from './fixture.ts';
import { hostLinks, linkOf } from './oracles.ts';

/** Pools, and what there is of them. */

const store = '/run/cni/networks/fcnet';

export async function slotAddresses(): Promise<readonly string[]> {
  const owned: string[] = [];
  for (const name of (await readdir(store)).filter((file) => file.startsWith('10.'))) {
    if ((await readFile(`${store}/${name}`, 'utf8')).startsWith('.pool-')) owned.push(name);
  }
  return owned;
}

export async function openWarm(lab: ContractLab, options: NetworkManagerOptions): Promise<NetworkManager> {
  const manager = await lab.open(options);
  await manager.warmUp();
  return manager;
}

export const untilReady = (manager: NetworkManager, count: number) =>
  until(`${count} slots`, () => manager.stats().pools[0]?.ready === count);

export const untilLabelled = (alias: string) =>
  until(alias, async () => (await hostLinks()).some(({ ifalias }) => ifalias === alias));

/** One address: once it is a VM's, no other slot can be built. */
export const oneAddress = { ranges: [{ start: '10.168.0.2', end: '10.168.0.2' }] };

/** All there is with one VM, without the names that are anew for each attachment. */
export async function dumpOfOne(manager: NetworkManager): Promise<string> {
  const net = await manager.setup('vm-1');
  await untilLabelled('vulcan-net fcnet vm-1 eth0');
  expect((await manager.list()).map(({ config }) => config)).toEqual([net]);
  expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
  const [host] = await hostLinks();
  if (host === undefined) throw new Error('there is no link');
  expect((await linkOf(net.netnsPath, 'eth0')).address).toBe(net.mac);
  const record = await readFile('/run/cni/results/fcnet-vm-1-eth0', 'utf8');
  const anonymous = `${await canonicalDump()}${record}`
    .replaceAll(net.mac, 'MAC')
    .replaceAll(host.ifname, 'LINK')
    .replaceAll(host.address, 'HOST-MAC');
  const lines = anonymous.split('\n').filter((line) => !line.includes('.pool-'));
  // The lock's file has the namespace's number in it, the record's what is compared without its names.
  return lines.map((line) => line.replace(/^(file \S+vm-1\S* .*) \w+$/, '$1')).join('\n');
}

/** Names of the channels of a pool, as they come. */
export function watchPool(): { readonly seen: string[]; forget(): void } {
  const seen: string[] = [];
  const listener = (_event: unknown, name: string | symbol) =>
    void seen.push(String(name).replace(/.*:/, ''));
  const channels = ['ready', 'taken', 'recycled', 'destroyed'].map((change) =>
    channel(`vulcan-net:pool:${change}`),
  );
  for (const each of channels) each.subscribe(listener);
  return {
    seen,
    forget: () => {
      for (const each of channels) each.unsubscribe(listener);
    },
  };
}
