import { collect } from '../../cni/collect.ts';
import type { CacheRecord, RuntimeConf } from '../../cni/types.ts';
import type { NetworkError } from '../../errors.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { Scope } from '../../operation.ts';
import { recordedAddresses, tapNameOf } from '../attachment/network-config.ts';
import { layoutOf } from '../attachment/records.ts';
import type { Undoing } from '../attachment/undoing.ts';
import { ChainUndoing } from '../cni/undo.ts';
import type { HeldLock } from '../host/locks.ts';
import { ipsOf, ownerOf, releaseAddresses } from '../network/addresses.ts';
import { removeHostRoutes } from '../network/host-routes.ts';
import type { NativeLayout } from '../network/layout.ts';
import type { Runtime } from '../network/runtime.ts';

/** Of the host's own, to whatever the owner has. */
async function removeRoutesOf(runtime: Runtime, layout: NativeLayout, owner: string): Promise<void> {
  if (!layout.hostRoutes) return;
  const ips = await atStep('route', () => ipsOf(runtime.binding, layout.addressDir, owner));
  await removeHostRoutes(runtime.binding, ips);
}

/** Undoing without plugins, but for attachments of chains that do what only their plugins can undo. */
export class NativeUndoing implements Undoing {
  readonly #runtime: Runtime;
  readonly #chain: ChainUndoing;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#chain = new ChainUndoing(runtime);
  }

  async recorded(
    record: CacheRecord,
    netns: string,
    lock: HeldLock,
    scope: Scope,
  ): Promise<readonly NetworkError[]> {
    const layout = record.config === '' ? this.#runtime.network.layout : layoutOf(this.#runtime, record);
    if (layout === null) return this.#chain.recorded(record, netns, lock, scope);
    const errors: NetworkError[] = [];
    await collect(errors, () => this.#emptyNamespace(record, netns, scope));
    const ips = layout.hostRoutes ? (recordedAddresses(record) ?? []) : [];
    await collect(errors, () => removeHostRoutes(this.#runtime.binding, ips));
    await collect(errors, () => this.#release(layout.addressDir, record, recordedAddresses(record), scope));
    return errors;
  }

  async partial(
    containerId: string,
    _netns: string,
    _lock: HeldLock,
    scope: Scope,
  ): Promise<readonly NetworkError[]> {
    const { network, config } = this.#runtime;
    const { layout } = network;
    const errors: NetworkError[] = [];
    if (layout === null) return errors;
    const owner = { containerId, ifName: config.ifName };
    await collect(errors, () => removeRoutesOf(this.#runtime, layout, ownerOf(owner)));
    await collect(errors, () => this.#release(layout.addressDir, owner, null, scope));
    return errors;
  }

  async unkept(): Promise<readonly NetworkError[]> {
    return [];
  }

  /** A namespace of another's making stays, without what was built in it. */
  async #emptyNamespace(record: CacheRecord, netns: string, scope: Scope): Promise<void> {
    const { anchors, binding } = this.#runtime;
    if (netns === '' || anchors.vmIdOf(netns) !== null) return;
    scope.step = 'tap';
    const tap = record.result === null ? null : tapNameOf(record.result, record);
    for (const name of tap === null ? [record.ifName] : [tap, record.ifName]) {
      await atStep('tap', () => binding.linkDelete({ netns, name }));
    }
  }

  #release(
    directory: string,
    key: Pick<RuntimeConf, 'containerId' | 'ifName'>,
    ips: readonly string[] | null,
    scope: Scope,
  ): Promise<unknown> {
    return releaseAddresses(this.#runtime.binding, { directory, owner: ownerOf(key), ips }, scope);
  }
}
