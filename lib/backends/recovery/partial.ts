import { collect } from '../../cni/collect.ts';
import { recordName } from '../../cni/names.ts';
import type { AttachmentKey, CacheRecord } from '../../cni/types.ts';
import { isNetworkError, type NetworkError } from '../../errors.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { LinkInfo } from '../../native/netlink.ts';
import type { AnchorState } from '../../native/sys.ts';
import type { Scope } from '../../operation.ts';
import { cniNameRule } from '../../rules.ts';
import { detachUnderLock, incomplete, isOfAnotherVm, mayClear } from '../attachment/detach.ts';
import { unguard } from '../attachment/guard.ts';
import type { HostView } from '../attachment/host-view.ts';
import { livingState } from '../attachment/living.ts';
import { linksBehind, lostOwner } from '../attachment/lost-claim.ts';
import { isInUse, readInside, rebuildRecord } from '../attachment/rebuild.ts';
import { keyOf, vmIdOf } from '../attachment/records.ts';
import type { Undoing } from '../attachment/undoing.ts';
import { claimsNothing, containerIdOf, isOurs } from '../host/anchor.ts';
import { aliasOf, cutHostLink, deleteHostLink, findUncutLink } from '../host/host-link.ts';
import type { HeldLock } from '../host/locks.ts';
import { addressStoreOf, ipsOf, ownerOf } from '../network/addresses.ts';
import { isKeptElsewhere } from '../network/elsewhere.ts';
import type { Runtime } from '../network/runtime.ts';

/** What crashes and others have left of VMs: found in a view of the host, judged once more under the VM's lock. */

/** How long another runtime may take from an address to its record, for which it holds no lock of ours. */
export const graceMs = 10_000;

/** `restored`: it is in use, and whole again. `left`: it is whole, or none of ours. */
export type Fate = 'removed' | 'restored' | 'left';

/** What is left of a VM that nothing can make whole again. */
export interface Lost {
  readonly record: CacheRecord | null;
  readonly state: AnchorState;
}

/** VMs of which something is there, but no whole attachment of any network. */
export function partialVms(runtime: Runtime, view: HostView): readonly string[] {
  const { anchors, config, network } = runtime;
  const recorded = new Set(view.records.map((record) => vmIdOf(runtime, record)));
  const vms = new Set<string>();
  for (const [vmId, state] of view.anchors) if (isOurs(state) && !recorded.has(vmId)) vms.add(vmId);
  for (const vmId of view.locked) if (!recorded.has(vmId)) vms.add(vmId);
  for (const record of view.ofNetwork) {
    const vmId = anchors.vmIdOf(record.netns);
    if (vmId === null) continue;
    const state = view.stateOf(record);
    const isUnclaimed = view.anchors.get(vmId)?.kind === 'namespace';
    if (state === 'dead' || (state === 'detached' && isUnclaimed)) vms.add(vmId);
  }
  for (const { owner, link } of view.links.owned) {
    if (owner.network !== network.name || view.hasRecord(owner) || view.isElsewhere(owner)) continue;
    const vmId = view.vmIdOf(owner.containerId);
    if (view.links.isCut(link) || view.anchors.has(vmId)) vms.add(vmId);
  }
  for (const name of view.unreadable) {
    const [start, end] = [`${network.name}-`, `-${config.ifName}`];
    if (!name.startsWith(start) || !name.endsWith(end)) continue;
    vms.add(view.vmIdOf(name.slice(start.length, -end.length)));
  }
  // The lock of an id is that of a VM of that name, were there one: ids may be longer.
  return [...vms].filter((vmId) => cniNameRule(vmId) === null);
}

/** One VM, under its lock. */
export class PartialVm {
  readonly #runtime: Runtime;
  readonly #undoing: Undoing;
  readonly #view: HostView;
  readonly #inhabited: () => Promise<ReadonlySet<number>>;

  constructor(
    runtime: Runtime,
    undoing: Undoing,
    view: HostView,
    inhabited: () => Promise<ReadonlySet<number>>,
  ) {
    this.#runtime = runtime;
    this.#undoing = undoing;
    this.#view = view;
    this.#inhabited = inhabited;
  }

  /** Restores it, or removes what is left of it. */
  async settle(vmId: string, lock: HeldLock, scope: Scope): Promise<Fate> {
    const judged = await this.restore(vmId, lock, scope);
    if (typeof judged === 'string') return judged;
    const { record, state } = judged;
    if (record === null) {
      if (await this.#mayBeAnothers(vmId, state)) return 'left';
      return this.#remove(vmId, state, lock, scope);
    }
    await detachUnderLock(this.#runtime, {
      ...{ undoing: this.#undoing, vmId, records: [record], lock, scope },
    });
    return 'removed';
  }

  /**
   * Of which there is nothing of ours, but a record that could not be read: another runtime writes it in place, and knows older
   * forms, in which it does not say whose it is.
   */
  async #mayBeAnothers(vmId: string, state: AnchorState): Promise<boolean> {
    const key = keyOf(this.#runtime, containerIdOf(vmId, state));
    if (isOurs(state) || state.claimed || !this.#hasUnreadable(key)) return false;
    if (this.#view.links.withAlias(key).length > 0) return false;
    if (this.#addressesOf(key).some(({ ageMs }) => ageMs < graceMs)) return true;
    try {
      return (await this.#runtime.cache.read(key)) !== null;
    } catch (error) {
      if (isNetworkError(error, 'ERR_RECORD_MISMATCH')) return true;
      return unlessCorrupt(error) !== null;
    }
  }

  /** Removes nothing. */
  async restore(vmId: string, lock: HeldLock, scope: Scope): Promise<Exclude<Fate, 'removed'> | Lost> {
    const { anchors } = this.#runtime;
    scope.step = 'anchor';
    const found = await anchors.state(vmId, lock);
    lock.spent = claimsNothing(found);
    const records = await this.#recordsNow(vmId);
    if (records === null) return 'left';
    const [record] = records;
    if (record !== undefined) return this.#restoreRecorded(vmId, record, found, lock);
    const key = keyOf(this.#runtime, containerIdOf(vmId, found));
    if (await this.#isAnothers(vmId, found, key)) return 'left';
    const state = await livingState(this.#runtime, vmId, null, lock);
    // Somebody's who can't be found, but lives on.
    if (state.kind !== 'namespace' && (await this.#uncutLink(key)) !== null) return 'left';
    return (await this.#restore(vmId, state, lock)) ? 'restored' : { record: null, state };
  }

  /** Of a VM without a record: whether there is more of it than a lock's file, or what is somebody else's. */
  async hasRest(vmId: string, state: AnchorState): Promise<boolean> {
    if (state.kind !== 'absent') {
      const isIts = isOurs(state) || (await lostOwner(this.#runtime, vmId, state)) !== null;
      return isIts || (await mayClear(this.#runtime, vmId, [], state));
    }
    const key = keyOf(this.#runtime, containerIdOf(vmId, state));
    if (this.#hasUnreadable(key)) return !(await this.#mayBeAnothers(vmId, state));
    // Read anew: a teardown that was under way when the host was viewed has come to its end.
    const { binding, network } = this.#runtime;
    const directory = addressStoreOf(network);
    if (directory === null) return false;
    return (await atStep('reservation', () => ipsOf(binding, directory, ownerOf(key)))).length > 0;
  }

  /** Of a VM that is not to stay, even where it is in use. */
  async discard(vmId: string, lock: HeldLock, scope: Scope): Promise<Fate> {
    scope.step = 'anchor';
    const found = await this.#runtime.anchors.state(vmId, lock);
    lock.spent = claimsNothing(found);
    const records = await this.#recordsNow(vmId);
    if (records === null || records.length > 0) return 'left';
    const key = keyOf(this.#runtime, containerIdOf(vmId, found));
    if (await this.#isAnothers(vmId, found, key)) return 'left';
    const state = await livingState(this.#runtime, vmId, null, lock);
    const isUnclaimed = state.kind === 'namespace' && !state.claimed && !state.isHost;
    const [own] = isUnclaimed ? this.#linksOf(vmId) : [];
    if (own !== undefined && (await this.#isBehind(own.link, vmId, own.owner))) {
      await this.#claim(vmId, own.owner, lock);
      return this.#remove(vmId, await this.#runtime.anchors.state(vmId, lock), lock, scope);
    }
    if (await this.#mayBeAnothers(vmId, state)) return 'left';
    const link = isOurs(state) ? null : await this.#uncutLink(key);
    if (link !== null) await cutHostLink(this.#runtime.binding, key, link);
    return this.#remove(vmId, state, lock, scope);
  }

  /** Whoever has its record or its lock in another state directory has its claim there, too. */
  async #isAnothers(vmId: string, state: AnchorState, key: AttachmentKey): Promise<boolean> {
    if (claimsNothing(state) && !this.#view.hasRecord(key)) {
      if (await isKeptElsewhere(this.#runtime, key)) return true;
    }
    return this.#isAnothersId(vmId, state, key);
  }

  /** Of no VM of that name there is more than a lock's file; the attachment of that id is of one that chose it. */
  async #isAnothersId(vmId: string, state: AnchorState, key: AttachmentKey): Promise<boolean> {
    if (state.kind !== 'absent' || !claimsNothing(state)) return false;
    return this.#view.vmIdOf(vmId) !== vmId || isOfAnotherVm(this.#runtime, vmId, key);
  }

  async #uncutLink(key: AttachmentKey): Promise<LinkInfo | null> {
    const { links } = this.#view;
    if (links.withAlias(key).every((link) => links.isCut(link))) return null;
    return findUncutLink(this.#runtime.binding, { ...key, result: null });
  }

  /** `null`: the VM has been set up, or it has a network of another name. */
  async #recordsNow(vmId: string): Promise<readonly CacheRecord[] | null> {
    const { cache, network } = this.#runtime;
    const isIts = (record: CacheRecord) => vmIdOf(this.#runtime, record) === vmId;
    for (const name of await cache.names()) {
      if (this.#view.fileNames.has(name)) continue;
      const record = await cache.readNamed(name).catch(unlessCorrupt);
      if (record !== null && isIts(record)) return null;
    }
    const known = this.#view.records.filter(isIts);
    if (known.some((record) => record.network !== network.name)) return null;
    const now = await Promise.all(known.map((record) => cache.read(record)));
    return now.filter((record) => record !== null);
  }

  async #restoreRecorded(
    vmId: string,
    record: CacheRecord,
    state: AnchorState,
    lock: HeldLock,
  ): Promise<Exclude<Fate, 'removed'> | Lost> {
    if (isOurs(state)) return 'left';
    const link = this.#view.links.of(record);
    if (link !== null && state.kind === 'namespace' && (await this.#isBehind(link, vmId, record))) {
      await this.#claim(vmId, record, lock);
      return 'restored';
    }
    lock.spent = false;
    return link !== null && !this.#view.links.isCut(link) ? 'left' : { record, state };
  }

  async #isBehind(link: LinkInfo, vmId: string, owner: AttachmentKey): Promise<boolean> {
    return (await linksBehind(this.#runtime, vmId, [{ link, owner }])).length > 0;
  }

  async #claim(vmId: string, { containerId }: AttachmentKey, lock: HeldLock): Promise<void> {
    await this.#runtime.anchors.claim(vmId, containerId, lock);
    lock.spent = false;
  }

  /** A VM that is in use has lost its record; nobody uses what a setup never came to return. */
  async #restore(vmId: string, state: AnchorState, lock: HeldLock): Promise<boolean> {
    const { cache, anchors } = this.#runtime;
    if (state.kind !== 'namespace' || state.isHost) return false;
    const links = this.#linksOf(vmId);
    if (links.length === 0) return false;
    const dump = await readInside(this.#runtime, anchors.pathOf(vmId));
    if (!isInUse(dump) && !(await this.#inhabited()).has(state.inode)) return false;
    for (const { link, owner } of links) {
      const bridge = this.#view.links.all.find(({ index }) => index === link.master) ?? null;
      const record = rebuildRecord(this.#runtime, owner, vmId, link, bridge, dump);
      if (record === null) continue;
      if (!isOurs(state)) await this.#claim(vmId, owner, lock);
      await cache.write(record);
      lock.spent = false;
      return true;
    }
    return false;
  }

  /** Of this network, without a record: those of the VM's own id, and those whose other end may be in its namespace. */
  #linksOf(vmId: string): readonly { readonly link: LinkInfo; readonly owner: AttachmentKey }[] {
    const free = this.#view.links.owned.filter(
      ({ owner }) =>
        owner.network === this.#runtime.network.name &&
        !this.#view.hasRecord(owner) &&
        !this.#view.isElsewhere(owner),
    );
    const its = free.filter(({ owner }) => this.#view.vmIdOf(owner.containerId) === vmId);
    return its.length > 0 ? its : free;
  }

  async #remove(vmId: string, state: AnchorState, lock: HeldLock, scope: Scope): Promise<Fate> {
    const { binding } = this.#runtime;
    const key = keyOf(this.#runtime, containerIdOf(vmId, state));
    const errors: NetworkError[] = [];
    // A link that is not cut may be somebody's who lives on without a name: gc is asked for that.
    const { links } = this.#view;
    for (const link of links.withAlias(key).filter((each) => links.isCut(each))) {
      await collect(errors, () => deleteHostLink(binding, link));
    }
    const mayGo = isOurs(state) || (await mayClear(this.#runtime, vmId, [], state));
    if (state.kind !== 'absent' && !mayGo) return 'left';
    await collect(errors, () => this.#undoAll(vmId, state, lock, scope));
    if (errors.length > 0) throw incomplete(vmId, errors);
    await this.#forgetUnreadable(key);
    return state.kind === 'absent' && !this.#hasAddress(key) ? 'left' : 'removed';
  }

  async #undoAll(vmId: string, state: AnchorState, lock: HeldLock, scope: Scope): Promise<void> {
    const key = keyOf(this.#runtime, containerIdOf(vmId, state));
    // The link of a slot does not say whose it is before the VM has its record; the kernel frees it with its namespace.
    for (const port of this.#guardsOf(key)) await unguard(this.#runtime.binding, port);
    if (!state.claimed && this.#hasAddress(key)) {
      const [first, ...others] = await this.#undoing.partial(key.containerId, '', lock, scope);
      if (first !== undefined) throw incomplete(vmId, [first, ...others]);
    }
    await detachUnderLock(this.#runtime, {
      undoing: this.#undoing,
      vmId,
      records: [],
      lock,
      scope,
      sweptLater: true,
    });
  }

  #addressesOf(key: AttachmentKey) {
    return this.#view.addresses.filter(({ owner }) => owner === ownerOf(key));
  }

  #guardsOf(key: AttachmentKey) {
    const ips = new Set(this.#addressesOf(key).map(({ ip }) => ip));
    return this.#view.guarded.filter(({ bindings }) => bindings.some(({ ip }) => ips.has(ip)));
  }

  #hasAddress(key: AttachmentKey): boolean {
    return this.#addressesOf(key).length > 0;
  }

  /** A record that can't be read, of a VM that has nothing any more. */
  async #forgetUnreadable(key: AttachmentKey): Promise<void> {
    if (this.#hasUnreadable(key)) await this.#runtime.cache.remove(key);
  }

  #hasUnreadable(key: AttachmentKey): boolean {
    if (!this.#view.unreadable.includes(recordName(key))) return false;
    return !this.#view.links.owned.some(
      ({ owner }) => recordName(owner) === recordName(key) && aliasOf(owner) !== aliasOf(key),
    );
  }
}

/** An unused link of ours, taken off the network and away. */
export async function removeLink({ binding }: Runtime, key: AttachmentKey, link: LinkInfo): Promise<void> {
  await cutHostLink(binding, key, link);
  await deleteHostLink(binding, link);
}

function unlessCorrupt(error: unknown): null {
  if (isNetworkError(error, 'ERR_RECORD_CORRUPT')) return null;
  throw error;
}
