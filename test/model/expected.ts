import type { AttachmentState } from '../../lib/types.ts';
import type { Listed } from './managers.ts';

/** What must exist: a small model of a network whose VMs are set up, torn down, and damaged. */

export interface Vm {
  readonly ip: string;
  record: 'whole' | 'deleted' | 'truncated';
  /** Its namespace is there under its name. */
  named: boolean;
  /** A process lives in it. */
  inhabited: boolean;
  /** The pair of links is there. */
  linked: boolean;
  /** Its address is reserved. */
  reserved: boolean;
  /** It is held to its address. */
  guarded: boolean;
}

export class Expected {
  readonly vms = new Map<string, Vm>();
  /** A process was killed in the midst of their set-up or teardown. */
  readonly unsure = new Set<string>();
  firewall = true;
  /** Whether the manager of the other process is open. */
  farOpen = true;

  /** Of a VM that is there and of which all is known. */
  vm(vmId: string): Vm | null {
    return this.unsure.has(vmId) ? null : (this.vms.get(vmId) ?? null);
  }

  add(vmId: string, ip: string): void {
    this.vms.set(vmId, {
      ...{ ip, record: 'whole', named: true, inhabited: false },
      ...{ linked: true, reserved: true, guarded: true },
    });
    this.unsure.delete(vmId);
  }

  remove(vmId: string): void {
    this.vms.delete(vmId);
    this.unsure.delete(vmId);
  }

  /** The code by which a setup is refused; what is left of a VM that nobody uses makes room. */
  refusalOfSetup(vmId: string): string | null {
    const vm = this.vms.get(vmId);
    if (vm === undefined) return null;
    if (vm.record === 'truncated') return 'ERR_RECORD_CORRUPT';
    if (vm.record === 'deleted') return vm.inhabited && (vm.named || vm.linked) ? exists : null;
    return vm.named || vm.linked ? exists : null;
  }

  /** Whoever finds that a VM still lives gives its namespace its name again. */
  refused(vmId: string): void {
    const vm = this.vms.get(vmId);
    if (vm !== undefined && vm.record !== 'truncated') vm.named = true;
  }

  /** Whether `check` finds nothing; or the code by which it is refused. */
  check(vmId: string): boolean | string {
    const vm = this.vms.get(vmId);
    if (vm === undefined || vm.record === 'deleted') return 'ERR_ATTACHMENT_NOT_FOUND';
    if (vm.record === 'truncated') return 'ERR_RECORD_CORRUPT';
    return vm.named && vm.linked && vm.reserved && vm.guarded && this.firewall;
  }

  get listed(): readonly Listed[] {
    return [...this.vms]
      .filter(([vmId, { record }]) => record === 'whole' && !this.unsure.has(vmId))
      .map(([vmId, vm]) => ({ vmId, ip: vm.ip, state: stateOf(vm) }))
      .sort((a, b) => a.vmId.localeCompare(b.vmId));
  }

  /** What is done about partial attachments, whoever does it. */
  recover(): void {
    for (const [vmId, vm] of this.vms) {
      const isUsed = vm.inhabited && vm.linked;
      if (vm.record !== 'whole' && isUsed) {
        vm.record = 'whole';
        vm.named = true;
      } else if (vm.record !== 'whole' || stateOf(vm) === 'dead') {
        this.vms.delete(vmId);
      }
    }
  }

  opened(): void {
    this.recover();
    this.firewall = true;
    for (const vm of this.vms.values()) if (vm.linked) vm.guarded = true;
  }

  collected(keep: readonly string[]): void {
    for (const vmId of [...this.vms.keys()]) if (!keep.includes(vmId)) this.vms.delete(vmId);
    this.recover();
  }

  /** VMs that are not whole after it: nothing is removed, and a link that is gone never comes back. */
  repaired(): readonly string[] {
    const broken: string[] = [];
    for (const [vmId, vm] of this.vms) {
      if (vm.record !== 'whole' && vm.inhabited && vm.linked) vm.record = 'whole';
      else if (vm.record !== 'whole' || stateOf(vm) === 'dead') {
        // Of what has neither record, namespace nor address, nothing tells that it ever was.
        if (vm.record !== 'deleted' || vm.named || vm.reserved) broken.push(vmId);
        continue;
      }
      if (!vm.linked) broken.push(vmId);
      this.firewall = true;
      vm.named = true;
      vm.reserved = true;
      vm.guarded = true;
    }
    return broken.sort();
  }

  flushed(): void {
    this.firewall = false;
    for (const vm of this.vms.values()) vm.guarded = false;
  }

  /** A namespace without a name that nobody lives in ends, and its links with it. */
  settleLinks(): void {
    for (const vm of this.vms.values()) if (!vm.named && !vm.inhabited) vm.linked = false;
  }
}

const exists = 'ERR_ATTACHMENT_EXISTS';

function stateOf({ named, linked }: Vm): AttachmentState {
  if (named) return 'complete';
  return linked ? 'detached' : 'dead';
}
