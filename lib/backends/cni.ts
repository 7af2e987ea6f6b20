import type { Scope } from '../operation.ts';
import type { Config } from '../settings.ts';
import { findStore } from './attachment/lost-store.ts';
import type { AttachRequest, Made } from './attachment/request.ts';
import type { Backend } from './backend.ts';
import { attachUnderLock } from './cni/attach.ts';
import { checkChain } from './cni/check.ts';
import { ChainUndoing } from './cni/undo.ts';
import { needBridges } from './network/own-bridges.ts';
import type { Host, Runtime } from './network/runtime.ts';
import { openBackend } from './open-backend.ts';
import { RecordedBackend } from './recorded-backend.ts';

/** Attachments by a chain of CNI plugins that ends in tc-redirect-tap. */
export class CniBackend extends RecordedBackend implements Backend {
  readonly name = 'cni';

  private constructor(runtime: Runtime) {
    super(runtime, new ChainUndoing(runtime), (record, lock, scope) =>
      checkChain(runtime, record, lock, scope),
    );
  }

  static open(host: Host, config: Config, scope: Scope): Promise<CniBackend> {
    return openBackend(host, config, scope, (runtime) => new CniBackend(runtime));
  }

  async attach(request: AttachRequest, scope: Scope): Promise<Made> {
    scope.step = 'bridge';
    await needBridges(this.runtime, scope);
    await findStore(this.runtime, scope);
    const { firewall, locks } = this.runtime;
    const made = await firewall.whileThere(scope, (need) =>
      locks.withVmAndContainer(request, scope, async (lock) => {
        scope.step = 'firewall';
        await need();
        return attachUnderLock(this.runtime, this.undoing, request, lock, scope);
      }),
    );
    await this.runtime.leftConnections.forgotten(made.config.addresses);
    return made;
  }
}
