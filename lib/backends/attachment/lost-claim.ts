import type { AttachmentKey } from '../../cni/types.ts';
import type { LinkInfo } from '../../native/netlink.ts';
import type { AnchorState } from '../../native/sys.ts';
import { readHostLinks } from '../host/host-link.ts';
import type { HeldLock } from '../host/locks.ts';
import type { Runtime } from '../network/runtime.ts';
import { readInside } from './rebuild.ts';
import { recordsOfNetwork } from './records.ts';

/** A namespace at a VM's anchor whose lock's file, which says that it is ours, was removed: the links tell it. */

interface OwnLink {
  readonly link: LinkInfo;
  readonly owner: AttachmentKey;
}

/** Those of `links` whose other end is the interface of the namespace at the VM's anchor. */
export async function linksBehind(
  runtime: Runtime,
  vmId: string,
  links: readonly OwnLink[],
): Promise<readonly OwnLink[]> {
  if (links.length === 0) return [];
  const inside = (await readInside(runtime, runtime.anchors.pathOf(vmId))).links;
  const isEnd = ({ link, owner }: OwnLink) =>
    inside.some(
      ({ name, index, peer }) => name === owner.ifName && index === link.peer && peer === link.index,
    );
  return links.filter(isEnd);
}

/** Of this network, and without a record. `hostLink`: of that link alone. */
export async function lostOwner(
  runtime: Runtime,
  vmId: string,
  { kind, claimed, isHost }: AnchorState,
  hostLink: string | null = null,
): Promise<AttachmentKey | null> {
  if (kind !== 'namespace' || claimed || isHost) return null;
  const { records } = await recordsOfNetwork(runtime);
  const recorded = new Set(records.map(({ containerId }) => containerId));
  const { owned } = await readHostLinks(runtime.binding);
  const free = owned.filter(
    ({ link, owner }) =>
      owner.network === runtime.network.name &&
      !recorded.has(owner.containerId) &&
      (hostLink === null || link.name === hostLink),
  );
  const [found] = await linksBehind(runtime, vmId, free);
  return found?.owner ?? null;
}

/**
 * Under the VM's lock, and by it; of the attachment with that link, which this process has made: another may be that of a
 * manager that keeps its records somewhere else.
 */
export async function claimLost(
  runtime: Runtime,
  vmId: string,
  state: AnchorState,
  hostLink: string,
  lock: HeldLock,
): Promise<AnchorState> {
  const owner = await lostOwner(runtime, vmId, state, hostLink);
  if (owner === null) return state;
  await runtime.anchors.claim(vmId, owner.containerId, lock);
  lock.spent = false;
  return runtime.anchors.state(vmId, lock);
}
