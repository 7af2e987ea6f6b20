import { hash } from 'node:crypto';
import { recordName } from '../cni/names.ts';
import type { AttachmentKey } from '../cni/types.ts';
import type {
  AttachedInterface,
  AttachInterface,
  AttachPlan,
  DetachInterface,
  FileName,
} from '../native/attachment.ts';
import type { Scope } from '../operation.ts';
import type { TapOwner } from '../types.ts';
import type { AttachRequest } from './backend.ts';
import { ownAddresses } from './guard.ts';
import { aliasOf, localMac, newHostLink } from './host-link.ts';
import type { NativeLayout } from './native-layout.ts';
import type { NativeRuntime } from './native-runtime.ts';
import type { AttachmentNames, AttachmentTemplate } from './native-template.ts';
import { keyOf } from './records.ts';

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

/** Whose the link is, and its addresses are. */
export interface LinkOwner {
  readonly alias: string;
  readonly owner: string;
  readonly tapOwner: TapOwner;
}

export function planLink(
  { runtime, layout }: NativeRuntime,
  template: AttachmentTemplate,
  { hostLink, hostMac, mac, tapName }: Pick<AttachmentNames, 'hostLink' | 'hostMac' | 'mac' | 'tapName'>,
  { alias, owner, tapOwner }: LinkOwner,
): Link {
  const { config, network } = runtime;
  return {
    bridge: template.bridge.name,
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

/** What takes away what was made. */
export function detachmentOf(
  { hostLink, port, mac, guard, addresses, record }: Link & { readonly record: FileName },
  made: AttachedInterface,
): DetachInterface {
  const { directory, owner } = addresses;
  const ips = made.addresses.map(({ ip }) => ip);
  const routed = 'routed' in port;
  const bindings = [...ips, ...(guard?.addresses ?? [])].map((ip) => ({ mac, ip }));
  return {
    hostLink: { name: hostLink },
    guard: guard === null ? null : { link: hostLink, bindings, routed },
    addresses: { directory, owner, ips },
    hostRoutes: 'routed' in port || port.hostRoutes === true ? ips : [],
    record: { directory: record.directory, name: record.name, version: made.record },
  };
}

/** Who has an address, in host-local's words. */
export function ownerOf({ containerId, ifName }: Omit<AttachmentKey, 'network'>): string {
  return `${containerId}\r\n${ifName}`;
}
