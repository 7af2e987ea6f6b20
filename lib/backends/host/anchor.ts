import { basename, dirname } from 'node:path';
import { NetworkError } from '../../errors.ts';
import type { FileName } from '../../native/attachment.ts';
import type { NativeBinding } from '../../native/binding.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { AnchorState } from '../../native/sys.ts';
import { runTask } from '../../native/task.ts';
import type { Scope } from '../../operation.ts';
import { cniNameRule } from '../../rules.ts';
import type { HeldLock } from './locks.ts';

export type AnchorBinding = Pick<
  NativeBinding,
  | 'anchorCreate'
  | 'anchorState'
  | 'anchorClaim'
  | 'anchorRestore'
  | 'anchorRemove'
  | 'anchorList'
  | 'mountState'
  | 'cancel'
>;

const prefix = 'vulcan-';

/** Whoever makes a name without our lock mounts on it within this time. */
const minFileAgeMs = 2_000;

/** `/run` and `/var/run` are one directory; other runtimes write either. */
export function canonical(path: string): string {
  return path.replace(/^\/var\/run\//, '/run/');
}

/** The namespaces of VMs, under their names. */
export class Anchors {
  readonly directory: string;
  readonly prefix = prefix;
  readonly #binding: AnchorBinding;

  constructor(binding: AnchorBinding, directory: string) {
    this.#binding = binding;
    this.directory = directory;
  }

  pathOf(vmId: string): string {
    return `${this.directory}/${this.nameOf(vmId)}`;
  }

  nameOf(vmId: string): string {
    return `${prefix}${vmId}`;
  }

  fileOf(vmId: string): FileName {
    return { directory: this.directory, name: this.nameOf(vmId) };
  }

  /** `null` for a path that is no VM's anchor. */
  vmIdOf(path: string): string | null {
    const start = canonical(`${this.directory}/${prefix}`);
    return canonical(path).startsWith(start) ? canonical(path).slice(start.length) : null;
  }

  async list(): Promise<readonly string[]> {
    const names = await atStep('anchor', () =>
      this.#binding.anchorList({ directory: this.directory, prefix }),
    );
    return names.map((name) => name.slice(prefix.length));
  }

  /** Without the lock nothing is known about whose it is. */
  state(vmId: string, lock?: HeldLock): Promise<AnchorState> {
    return atStep('anchor', () =>
      this.#binding.anchorState({
        ...{ directory: this.directory, name: this.nameOf(vmId) },
        ...(lock === undefined ? {} : { lock: lock.handle }),
      }),
    );
  }

  /** For a namespace of another's making. */
  stateAt(path: string): Promise<AnchorState> {
    return atStep('anchor', () =>
      this.#binding.anchorState({ directory: dirname(path), name: basename(path) }),
    );
  }

  /** For an attachment of that id, which the lock's claim then speaks of. */
  async create(vmId: string, containerId: string, lock: HeldLock, scope: Scope): Promise<AnchorState> {
    const plan = this.#claimPlan(vmId, containerId, lock);
    return atStep('anchor', () =>
      runTask(this.#binding, scope, (taskId) => this.#binding.anchorCreate({ ...plan, taskId })),
    );
  }

  /** For a namespace that is known to be the VM's by its links: the claim of its lock was lost. */
  claim(vmId: string, containerId: string, lock: HeldLock): Promise<void> {
    return atStep('anchor', () => this.#binding.anchorClaim(this.#claimPlan(vmId, containerId, lock)));
  }

  #claimPlan(vmId: string, containerId: string, { handle }: HeldLock) {
    return {
      ...{ directory: this.directory, name: this.nameOf(vmId), lock: handle },
      ...(containerId === vmId ? {} : { container: containerId }),
    };
  }

  /** Whether the namespace of the lock's claim lives, and has its name again. */
  restore(vmId: string, lock: HeldLock): Promise<boolean> {
    const plan = { directory: this.directory, name: this.nameOf(vmId), lock: lock.handle };
    return atStep('anchor', () => this.#binding.anchorRestore(plan));
  }

  /** Only for what {@link isOurs} or {@link isNobodys} says may go. */
  remove(vmId: string, lock: HeldLock): Promise<void> {
    const plan = { directory: this.directory, name: this.nameOf(vmId), lock: lock.handle };
    return atStep('anchor', () => this.#binding.anchorRemove(plan));
  }

  /** Of a VM from when `netnsDir` was another: what is there by its record, where the lock's claim is to it. */
  async removeRecorded(vmId: string, netns: string, lock: HeldLock): Promise<void> {
    if (basename(netns) !== this.nameOf(vmId)) return;
    const plan = { directory: dirname(netns), name: basename(netns), lock: lock.handle };
    await atStep('anchor', async () => {
      if (isOurs(await this.#binding.anchorState(plan))) await this.#binding.anchorRemove(plan);
    });
  }

  /**
   * A plain file may be a live namespace, seen from another mount namespace. It is nobody's when our names are the
   * host's, and the lock's claim says that we made it or it has been without a namespace for long. That no link of
   * the VM is left is the caller's to know.
   */
  async isNobodys(state: AnchorState): Promise<boolean> {
    if (state.kind !== 'file' || !(state.claimed || state.ageMs >= minFileAgeMs)) return false;
    const { hostMountNamespace } = await atStep('anchor', () =>
      this.#binding.mountState({ directory: this.directory }),
    );
    return hostMountNamespace;
  }

  foreign(vmId: string, state: AnchorState): NetworkError {
    const path = this.pathOf(vmId);
    const fields = { path, vmId, step: 'anchor' };
    if (state.isHost) {
      return new NetworkError('ERR_NETNS_HOST', `${path} is the host's own network namespace`, fields);
    }
    const what = state.kind === 'namespace' ? 'a namespace' : 'a file';
    const message = `${path} is ${what} that this library did not make; it is left as it is`;
    return new NetworkError('ERR_NETNS_FOREIGN', message, fields);
  }
}

/** Of what a setup made, or was about to make, under the VM's lock. */
export function containerIdOf(vmId: string, { container }: AnchorState): string {
  return container !== null && cniNameRule(container) === null ? container : vmId;
}

/** Whether the lock's file tells nothing that anybody needs. */
export function claimsNothing({ claimed, container }: AnchorState): boolean {
  return !claimed && container === null;
}

/** Whether the namespace was made under the VM's lock. */
export function isOurs(state: AnchorState): boolean {
  return state.kind === 'namespace' && state.claimed && !state.isHost;
}
