import { currentResult } from '../../cni/convert.ts';
import { isGenerated } from '../../cni/generate.ts';
import type { CacheRecord } from '../../cni/types.ts';
import type { LinkInfo } from '../../native/netlink.ts';
import { ethernetMtu } from '../host/uplink.ts';
import type { NativeLayout } from './layout.ts';

/** Which MTU an attachment's links were given: never that of today's uplink, which may have changed since. */

/** `null`: the conflist leaves it open. One that this library wrote names none where it is an Ethernet's. */
export function conflistMtu({ mtu }: Pick<NativeLayout, 'mtu'>, conflist: string): number | null {
  if (mtu !== 0) return mtu;
  return isGenerated(conflist) ? ethernetMtu : null;
}

/**
 * As the record says it: its result, or else its conflist. Where neither does, the host's link goes for all. `null`: nothing
 * does, or only plugins know which link of the chain has which.
 */
export function givenMtu(
  record: CacheRecord,
  layout: NativeLayout | null,
  hostLink: LinkInfo | null,
): number | null {
  if (layout === null) return null;
  const inConflist = record.config === '' ? null : conflistMtu(layout, record.config);
  return resultMtu(record) ?? inConflist ?? hostLink?.mtu ?? null;
}

function resultMtu({ ifName, result }: CacheRecord): number | null {
  const interfaces = result === null ? [] : currentResult(result).interfaces;
  const own = interfaces.find(({ name, sandbox }) => name === ifName && sandbox !== '');
  return own === undefined || own.mtu === 0 ? null : own.mtu;
}
