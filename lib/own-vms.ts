import type { KeyedMutex } from './async/mutex.ts';
import type { Running } from './async/running.ts';
import type { OwnVm } from './backends/attachment/request.ts';
import type { Backend } from './backends/backend.ts';
import { debug } from './observe.ts';
import type { Removed } from './types.ts';

/** With fewer, nobody looks for those that have gone before it is time. */
const sweepLeast = 256;
const sweepEveryMs = 60_000;

/** What closing and sweeping need of a manager. */
interface Owner {
  readonly backend: Pick<Backend, 'departed' | 'departedOrReplaced' | 'forget'>;
  readonly mutex: Pick<KeyedMutex, 'isHeld'>;
  readonly running: Running;
}

/**
 * The VMs that a manager has set up, and not torn down since. Who tears down a VM of another process does not tell it, so
 * they are looked through, behind callers, each time that there are twice as many as the last look left, or that was a minute ago.
 */
export class OwnVms {
  readonly #owner: Owner;
  readonly #vms = new Map<string, OwnVm>();
  #sweepAbove = sweepLeast;
  #sweptAt = performance.now();

  constructor(owner: Owner) {
    this.#owner = owner;
  }

  get all(): readonly OwnVm[] {
    return [...this.#vms.values()];
  }

  get(vmId: string): OwnVm | null {
    return this.#vms.get(vmId) ?? null;
  }

  add(vm: OwnVm): void {
    this.#vms.set(vm.vmId, vm);
    this.sweepWhenDue();
  }

  /** Also for whoever asks how many there are, and is answered before. */
  sweepWhenDue(): void {
    const isDue = this.#vms.size > this.#sweepAbove || performance.now() - this.#sweptAt >= sweepEveryMs;
    if (isDue) void this.#sweep();
  }

  delete(vmId: string): void {
    this.#vms.delete(vmId);
  }

  /** Those of `before` that have both ids of what was removed, but for what was set up anew since. */
  forgetRemoved(before: readonly OwnVm[], removed: readonly Removed[]): void {
    const gone = new Set(removed.map(idsOf));
    for (const vm of before) {
      if (!gone.has(idsOf(vm)) || this.#vms.get(vm.vmId) !== vm) continue;
      this.#vms.delete(vm.vmId);
      this.#owner.backend.forget(vm);
    }
  }

  /** These, and those that others have set up again since. */
  forgetDepartedOrReplaced(): Promise<void> {
    return this.#forget('departedOrReplaced');
  }

  async #sweep(): Promise<void> {
    const { running } = this.#owner;
    this.#sweepAbove = Number.POSITIVE_INFINITY;
    this.#sweptAt = Number.POSITIVE_INFINITY;
    running.begin();
    await this.#forget('departed');
    this.#sweepAbove = Math.max(sweepLeast, 2 * this.#vms.size);
    this.#sweptAt = performance.now();
    running.end();
  }

  async #forget(which: 'departed' | 'departedOrReplaced'): Promise<void> {
    if (this.#vms.size === 0) return;
    const { backend, mutex } = this.#owner;
    try {
      for (const vm of await backend[which](this.all)) {
        // A verb that is under way, or was meanwhile, knows better.
        if (this.#vms.get(vm.vmId) !== vm || mutex.isHeld(vm.vmId)) continue;
        this.#vms.delete(vm.vmId);
        backend.forget(vm);
      }
    } catch (error) {
      debug('VMs that others have torn down: %s', (error as Error).message);
    }
  }
}

/** Neither id can have a slash. */
function idsOf({ vmId, containerId }: Removed): string {
  return `${vmId}/${containerId}`;
}
