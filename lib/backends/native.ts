import type { CacheRecord } from '../cni/types.ts';
import type { Scope } from '../operation.ts';
import type { Config } from '../settings.ts';
import type { NetworkConfig } from '../types.ts';
import type { AttachRequest, Backend, DetachRequest } from './backend.ts';
import { waitUntilFree } from './namespace-wait.ts';
import { attach } from './native-attach.ts';
import { detach, planDetachment } from './native-detach.ts';
import { nativeRuntime } from './native-runtime.ts';
import { NativeUndoing } from './native-undo.ts';
import { openBackend } from './open-backend.ts';
import { PinnedLinks } from './pinned-links.ts';
import { RecordedBackend } from './recorded-backend.ts';
import { recordsOfVm } from './records.ts';
import type { Host, Runtime } from './runtime.ts';

/** The same attachments by netlink, in this process: no plugin is started, none is needed. */
export class NativeBackend extends RecordedBackend implements Backend {
  readonly name = 'native';
  readonly #pinnedLinks: PinnedLinks;

  private constructor(runtime: Runtime) {
    super(runtime, new NativeUndoing(runtime), async () => []);
    this.#pinnedLinks = new PinnedLinks(runtime.binding);
  }

  static open(host: Host, config: Config, scope: Scope): Promise<NativeBackend> {
    return openBackend(host, config, scope, (runtime) => new NativeBackend(runtime));
  }

  attach(request: AttachRequest, scope: Scope): Promise<NetworkConfig> {
    return attach(nativeRuntime(this.runtime), this.undoing, request, scope);
  }

  override async detach(request: DetachRequest, scope: Scope): Promise<void> {
    const { vmId, wait } = request;
    const [record, ...others] = await recordsOfVm(this.runtime, vmId);
    const locks = this.runtime.locks.planOf(vmId, scope);
    const plan = record === undefined ? null : planDetachment(this.runtime, vmId, record, locks);
    if (record === undefined || plan === null || others.length > 0) return super.detach(request, scope);
    const { netns } = await detach(this.runtime, vmId, record, plan, scope);
    for (const { hostLink } of plan.interfaces) if (hostLink !== null) this.#pinnedLinks.watch(hostLink.name);
    if (wait && netns !== null) await waitUntilFree(this.runtime.binding, vmId, netns, scope);
  }

  protected override removeRecorded(vmId: string, record: CacheRecord, scope: Scope): Promise<void> | null {
    const locks = this.runtime.locks.heldPlanOf(vmId, scope);
    const plan = planDetachment(this.runtime, vmId, record, locks);
    if (plan === null) return null;
    for (const { hostLink } of plan.interfaces) if (hostLink !== null) this.#pinnedLinks.watch(hostLink.name);
    return detach(this.runtime, vmId, record, plan, scope).then(() => {});
  }
}
