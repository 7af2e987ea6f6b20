import { inTurns } from '../../async/in-turns.ts';
import type { CacheRecord } from '../../cni/types.ts';
import { NetworkError } from '../../errors.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { Scope } from '../../operation.ts';
import type { RecoveryReport } from '../../types.ts';
import { guard, guardedPort, isGuarded, unguardMissing } from '../attachment/guard.ts';
import { type HostView, viewHost } from '../attachment/host-view.ts';
import { judgeLockFile } from '../attachment/lock-file.ts';
import { vmIdOf } from '../attachment/records.ts';
import type { Undoing } from '../attachment/undoing.ts';
import { aliasOf, hostLinkName, noPort } from '../host/host-link.ts';
import { inhabitedNamespaces } from '../host/inhabited.ts';
import type { HeldLock } from '../host/locks.ts';
import type { Runtime } from '../network/runtime.ts';
import { PartialVm, partialVms } from './partial.ts';

/**
 * What a new process makes of what it finds. Whole attachments are left as they are, without a look inside. Of the rest,
 * each VM is judged under its lock, which a setup holds from its first step to its record, and which plugins inherit: so
 * neither a setup that another process is about, nor what plugins of a dead process still do, is ever taken for a ruin.
 */

/** How long the lock of one VM is waited for: a setup takes less, and so does a plugin without its manager. */
const patienceMs = 5_000;
const width = 16;

/** Whether the caller holds the network's lock. */
type NetworkLock = 'held' | 'free';

/** Under the network's lock, which the caller holds. */
export async function recover(runtime: Runtime, undoing: Undoing, scope: Scope): Promise<RecoveryReport> {
  scope.step = 'recovery';
  const view = await viewHost(runtime, { addresses: true });
  const vm = new PartialVm(runtime, undoing, view, inhabitedNamespaces(runtime.binding));
  const removed: string[] = [];
  const restored: string[] = [];
  const partial = partialVms(runtime, view);
  const settle = async (vmId: string, lock: HeldLock) => {
    const fate = await vm.settle(vmId, lock, scope);
    if (fate === 'removed') removed.push(vmId);
    if (fate === 'restored') restored.push(vmId);
  };
  const failed = [...(await underLocks(runtime, partial, scope, settle, 'held'))];
  const now = restored.length === 0 ? view : await viewHost(runtime, { addresses: false });
  failed.push(...(await guardAgain(runtime, now, scope)), ...(await labelAgain(runtime, now, scope)));
  await makeGuestPorts(runtime, now);
  const isSwept = partial.length === 0 && !hasGuardWithoutLink(view);
  if (!isSwept && runtime.network.guarded) await unguardMissing(runtime);
  return { removed: removed.sort(), restored: restored.sort(), failed };
}

/** Each VM under its lock, some at a time. Resolves with those that could not be judged, and why. */
export async function underLocks(
  { locks }: Runtime,
  vmIds: readonly string[],
  scope: Scope,
  work: (vmId: string, lock: HeldLock) => Promise<void>,
  network: NetworkLock = 'free',
): Promise<RecoveryReport['failed']> {
  const failed: RecoveryReport['failed'][number][] = [];
  await inTurns(vmIds, width, async (vmId) => {
    const judge = (lock: HeldLock) => work(vmId, lock);
    try {
      if (network === 'held') await locks.withVmOnly(vmId, scope, judge, patienceMs);
      else await locks.withVm(vmId, scope, judge, patienceMs);
    } catch (error) {
      if (!(error instanceof NetworkError)) throw error;
      failed.push({ vmId, error });
    }
  });
  return failed;
}

/** A recovery that was killed has removed the VM, and not come to that. */
function hasGuardWithoutLink({ guarded, links }: HostView): boolean {
  const present = new Set(links.all.map(({ name }) => name));
  return guarded.some(({ link }) => !present.has(link));
}

/** What a flush of the ruleset has taken from VMs that live on. */
function guardAgain(runtime: Runtime, view: HostView, scope: Scope): Promise<RecoveryReport['failed']> {
  const { binding, network } = runtime;
  const lost = view.ofNetwork.filter((record) => {
    const port = record.result === null ? null : guardedPort(record, record.result);
    return port !== null && view.links.of(record) !== null && !isGuarded(port, view.guarded);
  });
  return again(runtime, network.guarded ? lost : [], scope, async (now) => {
    const port = now.result ? guardedPort(now, now.result) : null;
    if (port !== null) await guard(binding, port);
  });
}

/** A slot's link says whose it is a moment after its VM has its record. One that was cut meanwhile stays cut. */
function labelAgain(runtime: Runtime, view: HostView, scope: Scope): Promise<RecoveryReport['failed']> {
  const { anchors, binding } = runtime;
  const nameOf = (record: CacheRecord): string | null => {
    const link = anchors.vmIdOf(record.netns) === null ? null : view.links.of(record);
    return link !== null && link.alias === '' && !view.links.isCut(link) ? link.name : null;
  };
  const bare = view.ofNetwork.filter((record) => nameOf(record) !== null);
  const names = new Set(bare.map(nameOf));
  return again(runtime, bare, scope, async (now) => {
    const name = hostLinkName(now);
    if (name === null || !names.has(name)) return;
    await atStep('alias', () => binding.linkLabel({ links: [{ name, alias: aliasOf(now) }] }));
  });
}

/** Ports of VMs that an earlier version has set up. No other guest ever gets a link's name, so that no lock is needed. */
async function makeGuestPorts({ anchors, binding }: Runtime, { links, ofNetwork }: HostView): Promise<void> {
  const late = ofNetwork.flatMap((record) => {
    const link = links.of(record);
    const isOurs = anchors.vmIdOf(record.netns) !== null;
    return isOurs && link !== null && link.portState !== noPort && !link.guestPort ? [link] : [];
  });
  await inTurns(late, width, ({ name }) => atStep('link', () => binding.linkSet({ name, guestPort: true })));
}

/** With each record as it is under its VM's lock, unless it has gone: it may have been set up again meanwhile. */
function again(
  runtime: Runtime,
  records: readonly CacheRecord[],
  scope: Scope,
  work: (now: CacheRecord) => Promise<void>,
): Promise<RecoveryReport['failed']> {
  const byVm = new Map<string, CacheRecord[]>();
  for (const record of records) {
    const vmId = vmIdOf(runtime, record);
    byVm.set(vmId, [...(byVm.get(vmId) ?? []), record]);
  }
  const oneAgain = async (vmId: string, lock: HeldLock) => {
    const now = await Promise.all((byVm.get(vmId) ?? []).map((record) => runtime.cache.read(record)));
    const { anchors } = runtime;
    if (now.every((record) => record === null)) {
      await judgeLockFile(runtime, vmId, await anchors.state(vmId, lock), lock);
    }
    for (const record of now) if (record !== null) await work(record);
  };
  return underLocks(runtime, [...byVm.keys()], scope, oneAgain, 'held');
}
