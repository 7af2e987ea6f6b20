import { hash } from 'node:crypto';
import { recordName } from '../../cni/names.ts';
import type { AttachmentKey } from '../../cni/types.ts';
import type {
  AttachInterface,
  AttachPlan,
  DetachInterface,
  FileName,
  FileVersion,
  GuardedPort,
  ReservedAddress,
} from '../../native/attachment.ts';
import type { Scope } from '../../operation.ts';
import type { TapOwner } from '../../types.ts';
import { ownAddresses } from '../attachment/guard.ts';
import { keyOf } from '../attachment/records.ts';
import type { AttachRequest } from '../attachment/request.ts';
import { aliasOf, localMac, newHostLink } from '../host/host-link.ts';
import { ownerOf } from '../network/addresses.ts';
import type { NativeLayout } from '../network/layout.ts';
import type { AttachmentNames, LinkNames } from './placeholders.ts';
import type { NativeRuntime } from './runtime.ts';
import type { AttachmentTemplate } from './template.ts';

/**
 * One setup, composed: every name and policy in it is decided here. Literals are spelled out, as this is run for each VM, and
 * objects spread into others made a third of a setup's garbage.
 */

/** A guest that starts again has the MAC that it had. */
function guestMac({ network, ifName }: AttachmentKey, vmId: string): string {
  return localMac(hash('sha256', `guest\0${network}\0${vmId}\0${ifName}`));
}

export function nameAttachment({ runtime }: NativeRuntime, request: AttachRequest): AttachmentNames {
  const { vmId, containerId, tapName, tapOwner } = request;
  const key = keyOf(runtime, containerId);
  const hostLink = newHostLink(key);
  return {
    vmId,
    containerId,
    tapName,
    netns: runtime.anchors.pathOf(vmId),
    hostLink: hostLink.name,
    hostMac: hostLink.mac,
    mac: request.mac ?? guestMac(key, vmId),
    uid: String(tapOwner.uid),
    gid: String(tapOwner.gid),
  };
}

export type Link = Omit<AttachInterface, 'record'>;

/** A record that was written. */
export type WrittenRecord = FileName & { readonly version: FileVersion };

/** Whose the link is, and its addresses are. */
export interface LinkOwner {
  readonly alias: string;
  readonly owner: string;
  readonly tapOwner: TapOwner;
}

export function planLink(
  { runtime, layout }: NativeRuntime,
  template: AttachmentTemplate,
  { hostLink, hostMac, mac, tapName }: LinkNames,
  { alias, owner, tapOwner }: LinkOwner,
): Link {
  const { config, network } = runtime;
  return {
    bridge: template.bridge.name,
    bridgeUp: template.isOwnBridge,
    port: portOf(layout),
    hostLink,
    alias,
    hostMac,
    name: config.ifName,
    mac,
    mtu: network.mtu,
    tap: { name: tapName, uid: tapOwner.uid, gid: tapOwner.gid },
    routes: template.routes,
    guard: config.antiSpoofing ? { addresses: ownAddresses(mac, network.firewall.ipv6) } : null,
    addresses: { directory: layout.addressDir, owner, requests: template.requests },
  };
}

export function planAttachment(
  native: NativeRuntime,
  template: AttachmentTemplate,
  names: AttachmentNames,
  { tapOwner }: AttachRequest,
  scope: Scope,
): AttachPlan {
  const { anchors, cache, locks } = native.runtime;
  const { vmId, containerId } = names;
  const key = keyOf(native.runtime, containerId);
  const link = planLink(native, template, names, { alias: aliasOf(key), owner: ownerOf(key), tapOwner });
  const record = { directory: cache.directory, name: recordName(key), text: template.recordText(names) };
  return {
    locks: locks.planFor(names, scope),
    anchor: anchors.fileOf(vmId),
    interfaces: [{ ...link, record }],
  };
}

function portOf({ hairpin, hostRoutes, isolated, linkGroup }: NativeLayout): AttachInterface['port'] {
  if (linkGroup !== null) return { routed: true, group: linkGroup, proxyArp: !isolated };
  return { hairpin, isolated, hostRoutes };
}

/** What takes away what was made, but for what says whose it is. */
export interface LinkDetachment extends Required<Pick<DetachInterface, 'hostLink' | 'guard' | 'hostRoutes'>> {
  readonly directory: string;
  readonly ips: readonly string[];
}

export function linkDetachment(
  { hostLink, port, mac, guard, addresses }: Link,
  made: readonly ReservedAddress[],
): LinkDetachment {
  const { directory } = addresses;
  const ips = made.map(({ ip }) => ip);
  const routed = 'routed' in port;
  return {
    hostLink: { name: hostLink, routed },
    guard:
      guard === null ? null : { link: hostLink, bindings: bindingsOf(mac, ips, guard.addresses), routed },
    hostRoutes: routed || port.hostRoutes === true ? ips : [],
    directory,
    ips,
  };
}

function bindingsOf(mac: string, ips: readonly string[], others: readonly string[]): GuardedPort['bindings'] {
  return [...ips, ...others].map((ip) => ({ mac, ip }));
}

/** The same, for whose the link has become, and the record that says so. */
export function detachmentOf(
  { hostLink, guard, hostRoutes, directory, ips }: LinkDetachment,
  owner: string,
  record: WrittenRecord,
): DetachInterface {
  return { hostLink, guard, addresses: { directory, owner, ips }, hostRoutes, record };
}
