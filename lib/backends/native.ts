import type { AttachmentKey, CacheRecord } from '../cni/types.ts';
import type { DetachPlan } from '../native/attachment.ts';
import type { Scope } from '../operation.ts';
import type { Config } from '../settings.ts';
import type { NetworkConfig } from '../types.ts';
import type { AttachRequest, Backend, DetachRequest } from './backend.ts';
import { aliasOf, firstInterface } from './host-link.ts';
import { waitUntilFree } from './namespace-wait.ts';
import { type Attached, attach } from './native-attach.ts';
import { detach, planDetachment } from './native-detach.ts';
import { type NativeRuntime, nativeRuntime } from './native-runtime.ts';
import { NativeUndoing } from './native-undo.ts';
import { openBackend } from './open-backend.ts';
import { PinnedLinks } from './pinned-links.ts';
import { RecordedBackend } from './recorded-backend.ts';
import { keyOf, recordsOfVm } from './records.ts';
import type { Host, Runtime } from './runtime.ts';

/** The same attachments by netlink, in this process: no plugin is started, none is needed. */
export class NativeBackend extends RecordedBackend implements Backend {
  readonly name = 'native';
  readonly #pinnedLinks: PinnedLinks;
  #native: NativeRuntime | null = null;
  /** By vmId: what was set up here, and not torn down here since. */
  readonly #made = new Map<string, Pick<Attached, 'undo' | 'bridge'>>();

  private constructor(runtime: Runtime) {
    super(runtime, new NativeUndoing(runtime), async () => []);
    this.#pinnedLinks = new PinnedLinks(runtime.binding);
  }

  static open(host: Host, config: Config, scope: Scope): Promise<NativeBackend> {
    return openBackend(host, config, scope, (runtime) => new NativeBackend(runtime));
  }

  async attach(request: AttachRequest, scope: Scope): Promise<NetworkConfig> {
    this.#native ??= nativeRuntime(this.runtime);
    const { config, undo, bridge } = await attach(this.#native, this.undoing, request, scope);
    // Of another containerId, the other records of the VM are to be looked for.
    if (request.containerId === request.vmId) this.#made.set(request.vmId, { undo, bridge });
    return config;
  }

  override async detach(request: DetachRequest, scope: Scope): Promise<void> {
    if (await this.#detachMade(request, scope)) return;
    const { vmId } = request;
    const [record, ...others] = await recordsOfVm(this.runtime, vmId);
    const locks = this.runtime.locks.planOf(vmId, scope);
    const plan = record === undefined ? null : planDetachment(this.runtime, vmId, record, locks);
    if (record === undefined || plan === null || others.length > 0) return super.detach(request, scope);
    if (await this.#detach(request, record, plan, scope)) this.#native?.bridges.left(firstInterface(record));
  }

  /** Whether it was all that this backend had made for the VM. */
  async #detachMade(request: DetachRequest, scope: Scope): Promise<boolean> {
    const { vmId } = request;
    const { anchors, locks } = this.runtime;
    const made = this.#made.get(vmId);
    if (made === undefined) return false;
    this.#made.delete(vmId);
    const plan = {
      ...{ locks: locks.planOf(vmId, scope), anchor: anchors.fileOf(vmId) },
      interfaces: [made.undo] as const,
    };
    const isDone = await this.#detach(request, keyOf(this.runtime, vmId), plan, scope);
    if (isDone) this.#native?.bridges.left(made.bridge);
    return isDone;
  }

  async #detach(
    { vmId, wait }: DetachRequest,
    key: AttachmentKey,
    plan: DetachPlan,
    scope: Scope,
  ): Promise<boolean> {
    const result = await detach(this.runtime, vmId, key, plan, scope);
    if (result === null) return false;
    const [{ hostLink }] = plan.interfaces;
    if (hostLink !== null) this.#pinnedLinks.watch({ name: hostLink.name, alias: aliasOf(key) });
    if (wait && result.netns !== null) {
      await waitUntilFree(this.runtime.binding, vmId, result.netns, scope);
    }
    return true;
  }

  protected override removeRecorded(vmId: string, record: CacheRecord, scope: Scope): Promise<void> | null {
    const locks = this.runtime.locks.heldPlanOf(vmId, scope);
    const plan = planDetachment(this.runtime, vmId, record, locks);
    if (plan === null) return null;
    const [link] = plan.interfaces;
    const { hostLink } = link;
    if (hostLink !== null) this.#pinnedLinks.watch({ name: hostLink.name, alias: aliasOf(record) });
    const rest = { ...plan, interfaces: [{ ...link, hostLink: null }] } as const;
    return detach(this.runtime, vmId, record, rest, scope).then(() => {
      this.#native?.bridges.left(firstInterface(record));
    });
  }
}
