import { basename } from 'node:path';
import { recordName } from '../../cni/names.ts';
import type { AttachmentKey, CacheRecord } from '../../cni/types.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { Survey } from '../../native/survey.ts';
import type { AnchorState } from '../../native/sys.ts';
import type { AttachmentState } from '../../types.ts';
import { isOurs } from '../host/anchor.ts';
import { aliasOf, HostLinks, hostLinkName, isRandomName, ownerOfAlias } from '../host/host-link.ts';
import { addressStoreOf } from '../network/addresses.ts';
import { recordsElsewhere } from '../network/elsewhere.ts';
import type { Runtime } from '../network/runtime.ts';

/** Plugins whose containers have a link on the host, with a name by lot. */
const linkMakers = new Set(['bridge', 'ptp']);

/** What kernel and records say together, in one reading of each; no namespace is looked into, and no lock is held. */
export class HostView {
  /** Of every network. */
  readonly records: readonly CacheRecord[];
  /** Files of the record directory that hold no record. */
  readonly unreadable: readonly string[];
  readonly fileNames: ReadonlySet<string>;
  readonly anchors: ReadonlyMap<string, AnchorState>;
  /** Names of the files of records in other state directories. */
  readonly #elsewhere: ReadonlySet<string>;
  /** VMs that have a lock's file, whatever it claims. */
  readonly locked: ReadonlySet<string>;
  readonly links: HostLinks;
  readonly guarded: Survey['guarded'];
  readonly addresses: Survey['addresses'];
  readonly #runtime: Runtime;
  readonly #recorded: ReadonlySet<string>;
  /** By vmId, where that is another. */
  readonly #containerIds: ReadonlyMap<string, string>;
  /** The other way round. */
  readonly #vmIds: ReadonlyMap<string, string>;

  constructor(runtime: Runtime, survey: Survey, listed: Listed) {
    const { anchors } = runtime;
    this.#runtime = runtime;
    this.records = listed.records;
    this.#recorded = new Set(listed.records.map(aliasOf));
    this.unreadable = listed.errors.map(({ path = '' }) => basename(path));
    this.fileNames = new Set(listed.names);
    this.#elsewhere = listed.elsewhere;
    const vmIdOf = (name: string) => anchors.vmIdOf(`${anchors.directory}/${name}`) ?? name;
    this.anchors = new Map(survey.anchors.map(({ name, ...state }) => [vmIdOf(name), state]));
    // Locks of networks begin with a dot.
    const ofVms = survey.claims.filter(({ name }) => !name.startsWith('.'));
    this.locked = new Set(ofVms.map(({ name }) => name));
    this.#containerIds = new Map(
      ofVms.flatMap(({ name, container }) => (container === null ? [] : [[name, container]])),
    );
    this.#vmIds = new Map([...this.#containerIds].map(([vmId, containerId]) => [containerId, vmId]));
    this.links = new HostLinks(survey.links);
    this.guarded = survey.guarded;
    this.addresses = survey.addresses;
  }

  /** Whose attachment it is, as far as the VM's lock says so. */
  vmIdOf(containerId: string): string {
    return this.#vmIds.get(containerId) ?? containerId;
  }

  /** Of a VM without a record, as far as its lock says so. */
  containerIdOf(vmId: string): string {
    return this.#containerIds.get(vmId) ?? vmId;
  }

  hasRecord(key: AttachmentKey): boolean {
    return this.#recorded.has(aliasOf(key));
  }

  /** Of somebody who keeps his records in another state directory. */
  isElsewhere(key: AttachmentKey): boolean {
    return !this.hasRecord(key) && this.#elsewhere.has(recordName(key));
  }

  /** Whether a container of another runtime is, or may be, on the network of which nothing here says whose it is. */
  get hasStrangers(): boolean {
    const { firewall, list } = this.#runtime.network;
    // One without a link on the host is not to be seen.
    if (!list.plugins.some(({ type }) => linkMakers.has(type))) return true;
    const { bridges } = firewall;
    const { all } = this.links;
    const ours = new Set(
      all.flatMap(({ kind, name, index }) => (kind === 'bridge' && bridges.includes(name) ? [index] : [])),
    );
    const recorded = new Set(this.records.map(hostLinkName));
    return all.some(
      ({ name, alias, master }) =>
        isRandomName(name) &&
        ownerOfAlias(alias) === null &&
        !recorded.has(name) &&
        (bridges.length === 0 || ours.has(master)),
    );
  }

  get ofNetwork(): readonly CacheRecord[] {
    return this.records.filter(({ network }) => network === this.#runtime.network.name);
  }

  /** Whether another network has its VM by now: that has the link, and this one has none. */
  isAnothers(record: CacheRecord): boolean {
    const vmId = this.#runtime.anchors.vmIdOf(record.netns);
    if (vmId === null || this.links.of(record) !== null) return false;
    const isRival = (other: CacheRecord) =>
      other.network !== record.network && this.#runtime.anchors.vmIdOf(other.netns) === vmId;
    return this.records.some((other) => isRival(other) && this.links.of(other) !== null);
  }

  /** Of an attachment in a namespace of the VM's own. */
  stateOf(record: CacheRecord): AttachmentState {
    const vmId = this.#runtime.anchors.vmIdOf(record.netns);
    const anchor = vmId === null ? undefined : this.anchors.get(vmId);
    if (anchor !== undefined && isOurs(anchor) && !this.isAnothers(record)) return 'complete';
    return this.stateWithoutAnchor(record);
  }

  /** A link lives as long as both of its ends do. A teardown that was killed has cut it. */
  stateWithoutAnchor(record: CacheRecord): 'detached' | 'dead' {
    const link = this.links.of(record);
    return link === null || this.links.isCut(link) ? 'dead' : 'detached';
  }
}

interface Listed {
  readonly records: readonly CacheRecord[];
  readonly errors: readonly { readonly path?: string }[];
  readonly names: readonly string[];
  readonly elsewhere: ReadonlySet<string>;
}

export async function viewHost(
  runtime: Runtime,
  options: { readonly addresses: boolean },
): Promise<HostView> {
  // Records first: what a record speaks of was there before it.
  const listed = await runtime.cache.list();
  const elsewhere = options.addresses ? await recordsElsewhere(runtime) : new Set<string>();
  return new HostView(runtime, await surveyHost(runtime, options), { ...listed, elsewhere });
}

export function surveyHost(
  { anchors, binding, locks, network }: Runtime,
  options: { readonly addresses: boolean },
): Promise<Survey> {
  const addresses = options.addresses ? addressStoreOf(network) : null;
  return atStep('survey', () =>
    binding.survey({
      ...{ anchors: anchors.directory, prefix: anchors.prefix, locks: locks.directory },
      addresses,
    }),
  );
}
