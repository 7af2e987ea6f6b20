import { recordName } from '../../cni/names.ts';
import type { CacheRecord } from '../../cni/types.ts';
import { HostLinks, hostLinkName } from '../host/host-link.ts';
import { ownerOf } from '../network/addresses.ts';
import type { Runtime } from '../network/runtime.ts';
import { surveyHost } from './host-view.ts';
import { keyOf, recordsOfNetwork, vmIdOf } from './records.ts';
import type { OwnVm } from './request.ts';

/** Which VMs of a process others have torn down meanwhile: read without locks, so what a verb is about is not judged. */

/** Those that have no record any more, nor anything else; of the records, only names are read. */
export async function departed(runtime: Runtime, vms: readonly OwnVm[]): Promise<readonly OwnVm[]> {
  return traceless(runtime, await recordless(runtime, vms));
}

async function recordless(runtime: Runtime, vms: readonly OwnVm[]): Promise<readonly OwnVm[]> {
  const names = new Set(await runtime.cache.names());
  return vms.filter(({ containerId }) => !names.has(recordName(keyOf(runtime, containerId))));
}

/**
 * These, and those of which somebody else has made another attachment. Where no record is missing, none is read, which
 * takes long: a teardown sees by itself whether the record is that of another.
 */
export async function departedOrReplaced(runtime: Runtime, vms: readonly OwnVm[]): Promise<readonly OwnVm[]> {
  const lost = await recordless(runtime, vms);
  if (lost.length === 0) return [];
  const { records } = await recordsOfNetwork(runtime);
  const byVm = new Map<string, CacheRecord[]>();
  for (const record of records) {
    const vmId = vmIdOf(runtime, record);
    byVm.set(vmId, [...(byVm.get(vmId) ?? []), record]);
  }
  const isReplaced = ({ vmId, hostLink }: OwnVm) => {
    const its = byVm.get(vmId);
    return hostLink !== null && its?.every((record) => hostLinkName(record) !== hostLink) === true;
  };
  const gone = await traceless(
    runtime,
    lost.filter(({ vmId }) => !byVm.has(vmId)),
  );
  return [...vms.filter(isReplaced), ...gone];
}

/**
 * Of VMs without a record: what is half torn down, or has lost its record, has a namespace, a lock, a link that is not cut,
 * an address or a guard left. A link that is cut goes with its namespace, which the kernel frees.
 */
async function traceless(runtime: Runtime, vms: readonly OwnVm[]): Promise<readonly OwnVm[]> {
  if (vms.length === 0) return [];
  const { anchors, config } = runtime;
  const survey = await surveyHost(runtime, { addresses: true });
  const vmIds = new Set([
    ...survey.anchors.map(({ name }) => anchors.vmIdOf(`${anchors.directory}/${name}`)),
    ...survey.claims.map(({ name }) => name),
  ]);
  const host = new HostLinks(survey.links);
  const uncut = survey.links.filter((link) => !host.isCut(link));
  const links = new Set([...uncut.map(({ name }) => name), ...survey.guarded.map(({ link }) => link)]);
  const owners = new Set(survey.addresses.map(({ owner }) => owner));
  return vms.filter(({ vmId, containerId, hostLink }) => {
    const hasLink = hostLink !== null && links.has(hostLink);
    return !vmIds.has(vmId) && !hasLink && !owners.has(ownerOf({ containerId, ifName: config.ifName }));
  });
}
