import type { AttachmentLocks } from '../../native/attachment.ts';
import type { NativeBinding } from '../../native/binding.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { LockHandle, LockPlan } from '../../native/sys.ts';
import { runTask } from '../../native/task.ts';
import type { Scope } from '../../operation.ts';

export type LockBinding = Pick<NativeBinding, 'lockAcquire' | 'lockRelease' | 'cancel'>;

type LockMode = LockPlan['mode'];

/** A lock while it is held. */
export interface HeldLock {
  readonly handle: LockHandle;
  /** Nothing is left of what it protects: the lock's file goes with the lock. */
  spent: boolean;
  /** Unless it is spent, the file stays though it claims nothing. */
  kept: boolean;
}

/** What is left of the verb's time once a lock was not to be had: enough to say so. */
const share = 0.9;

/**
 * The locks of all processes that share a state directory. Verbs about one VM hold its lock alone, a set-up by plugins also that of the attachment's id, and the network's
 * together with others; what looks at the whole network holds that one alone. The network's comes first.
 */
export class Locks {
  readonly directory: string;
  readonly #binding: LockBinding;
  readonly #network: string;

  constructor(binding: LockBinding, stateDir: string, network: string) {
    this.#binding = binding;
    this.directory = `${stateDir}/locks`;
    // A vmId never begins with a dot.
    this.#network = `.network-${network}`;
  }

  /** How long native work of the verb may wait for its locks. */
  timeoutMsOf(scope: Scope): number {
    return Math.ceil(scope.remainingMs * share);
  }

  /** For native work that takes the locks of a VM's verb itself. */
  planOf(vmId: string, scope: Scope): AttachmentLocks {
    return this.planWithin(vmId, this.timeoutMsOf(scope));
  }

  /** The same, and the VM's says whose attachment is about to be made. */
  planFor(
    { vmId, containerId }: { readonly vmId: string; readonly containerId: string },
    scope: Scope,
  ): AttachmentLocks {
    const plan = this.planOf(vmId, scope);
    return containerId === vmId ? plan : { ...plan, container: containerId };
  }

  planWithin(vmId: string, timeoutMs: number): AttachmentLocks {
    return { directory: this.directory, vm: vmId, network: this.#network, timeoutMs };
  }

  /** The same, for callers that hold the network's lock. */
  heldPlanOf(vmId: string, scope: Scope): AttachmentLocks {
    return this.onlyPlanOf(vmId, this.timeoutMsOf(scope));
  }

  /** The VM's alone, for what the network's lock does not keep from. */
  onlyPlanOf(vmId: string, timeoutMs: number): AttachmentLocks {
    return { directory: this.directory, vm: vmId, timeoutMs };
  }

  /** `patienceMs`: at most so long for each of the two locks. */
  async withVm<T>(
    vmId: string,
    scope: Scope,
    work: (lock: HeldLock) => Promise<T>,
    patienceMs = Number.POSITIVE_INFINITY,
  ): Promise<T> {
    return this.#held(
      this.#network,
      'shared',
      scope,
      () => this.#held(vmId, 'exclusive', scope, work, patienceMs),
      patienceMs,
    );
  }

  /**
   * For a set-up by plugins: also no other VM gets an attachment of that id meanwhile, neither one that chose it nor the one
   * whose own it is. That is the lock of the VM of that name; the work is given the lock of its own.
   */
  async withVmAndContainer<T>(
    { vmId, containerId }: { readonly vmId: string; readonly containerId: string },
    scope: Scope,
    work: (lock: HeldLock) => Promise<T>,
  ): Promise<T> {
    if (containerId === vmId) return this.withVm(vmId, scope, work);
    // In one order, as two VMs may each have chosen the other's id.
    if (vmId < containerId) {
      return this.withVm(vmId, scope, (lock) => this.withVmOnly(containerId, scope, () => work(lock)));
    }
    return this.withVm(containerId, scope, () => this.withVmOnly(vmId, scope, work));
  }

  /** For callers that hold the network's lock: taking it again would deadlock with whoever waits for it exclusively. */
  async withVmOnly<T>(
    vmId: string,
    scope: Scope,
    work: (lock: HeldLock) => Promise<T>,
    patienceMs = Number.POSITIVE_INFINITY,
  ): Promise<T> {
    return this.#held(vmId, 'exclusive', scope, work, patienceMs);
  }

  /** `patienceMs`: at most so long. */
  async withNetwork<T>(
    mode: LockMode,
    scope: Scope,
    work: (lock: HeldLock) => Promise<T>,
    patienceMs = Number.POSITIVE_INFINITY,
  ): Promise<T> {
    return this.#held(this.#network, mode, scope, work, patienceMs);
  }

  async #held<T>(
    name: string,
    mode: LockMode,
    scope: Scope,
    work: (lock: HeldLock) => Promise<T>,
    patienceMs = Number.POSITIVE_INFINITY,
  ): Promise<T> {
    scope.step = 'lock';
    const timeoutMs = Math.ceil(Math.min(scope.remainingMs * share, patienceMs));
    const handle = await atStep('lock', () =>
      runTask(this.#binding, scope, (taskId) =>
        this.#binding.lockAcquire({ directory: this.directory, name, mode, timeoutMs, taskId }),
      ),
    );
    const lock = { handle, spent: false, kept: false };
    let result: T;
    try {
      result = await work(lock);
    } catch (error) {
      // Released all the same; a file that could not be removed is less than what went wrong before.
      await this.#release(lock).catch(() => {});
      throw error;
    }
    await this.#release(lock);
    return result;
  }

  async #release({ handle, spent, kept }: HeldLock): Promise<void> {
    await atStep('lock', () => this.#binding.lockRelease({ lock: handle, remove: spent, keep: kept }));
  }
}
