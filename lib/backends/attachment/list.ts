import { type Stop, throwIfStopped } from '../../async/stop.ts';
import type { CacheRecord } from '../../cni/types.ts';
import type { Attachment, AttachmentState, NetworkConfig } from '../../types.ts';
import { isNative } from '../host/host-link.ts';
import type { Runtime } from '../network/runtime.ts';
import { type HostView, viewHost } from './host-view.ts';
import { networkConfig } from './network-config.ts';

/** What exists, from the records, whoever wrote them, and one look at the host. */

/** Both ends of the pair, and the TAP behind it, have one MTU. */
function configOf(runtime: Runtime, record: CacheRecord, view: HostView): NetworkConfig | null {
  const { network, containerId, ifName, netns, result } = record;
  if (result === null) return null;
  const mtu = view.links.of(record)?.mtu ?? runtime.defaultMtu;
  const vmId = runtime.anchors.vmIdOf(netns) ?? containerId;
  const backend = isNative(record) ? 'native' : 'cni';
  const facts = { vmId, network, containerId, ifName, netnsPath: netns, backend } as const;
  return networkConfig(facts, result, mtu);
}

/** A namespace of another's making is looked for where its record says it is. */
export async function stateOf(
  { anchors }: Runtime,
  record: CacheRecord,
  view: HostView,
): Promise<AttachmentState> {
  if (anchors.vmIdOf(record.netns) !== null) return view.stateOf(record);
  const { kind, isHost } = await anchors.stateAt(record.netns);
  return kind === 'namespace' && !isHost ? 'complete' : view.stateWithoutAnchor(record);
}

async function attachmentOf(runtime: Runtime, record: CacheRecord, view: HostView): Promise<Attachment> {
  const { network, containerId, ifName, netns } = record;
  const state = await stateOf(runtime, record, view);
  return {
    ...{ vmId: runtime.anchors.vmIdOf(netns), network, containerId, ifName },
    ...{ netnsPath: netns, state, alive: state !== 'dead', config: configOf(runtime, record, view) },
  };
}

export async function listAttachments(runtime: Runtime, stop: Stop): Promise<readonly Attachment[]> {
  const view = await viewHost(runtime, { addresses: false });
  throwIfStopped(stop, true);
  return Promise.all(view.ofNetwork.map((record) => attachmentOf(runtime, record, view)));
}
