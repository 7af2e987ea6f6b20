import type { CacheRecord } from '../cni/types.ts';
import type { AnchorState } from '../native/binding.ts';
import type { Attachment, NetworkConfig } from '../types.ts';
import { isNative } from './host-link.ts';
import { atStep } from './kernel-error.ts';
import { networkConfig, tapNameOf } from './network-config.ts';
import type { Runtime } from './runtime.ts';

/** What exists, from the records, whoever wrote them. */

async function mtuOf({ binding }: Runtime, netns: string, tapName: string): Promise<number | null> {
  // The namespace may go at any moment.
  const { links } = await binding.dump({ netns, kinds: ['links'] }).catch(() => ({ links: [] }));
  return links.find(({ name }) => name === tapName)?.mtu ?? null;
}

async function configOf(
  runtime: Runtime,
  record: CacheRecord,
  alive: boolean,
): Promise<NetworkConfig | null> {
  const { network, containerId, ifName, netns, result } = record;
  const tapName = result === null ? null : tapNameOf(result, record);
  if (result === null || tapName === null) return null;
  const mtu = (alive ? await mtuOf(runtime, netns, tapName) : null) ?? runtime.defaultMtu;
  const vmId = runtime.anchors.vmIdOf(netns) ?? containerId;
  const backend = isNative(record) ? 'native' : 'cni';
  const facts = { vmId, network, containerId, ifName, netnsPath: netns, backend } as const;
  return networkConfig(facts, result, mtu);
}

export async function attachmentOf(runtime: Runtime, record: CacheRecord): Promise<Attachment> {
  const { network, containerId, ifName, netns } = record;
  const state: AnchorState = await atStep('anchor', () => runtime.anchors.stateAt(netns));
  const alive = state.kind === 'namespace' && !state.isHost;
  return {
    ...{ vmId: runtime.anchors.vmIdOf(netns), network, containerId, ifName },
    ...{ netnsPath: netns, alive, config: await configOf(runtime, record, alive) },
  };
}
