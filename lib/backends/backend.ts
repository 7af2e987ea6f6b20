import type { Stop } from '../async/stop.ts';
import type { NamespaceId } from '../native/sys.ts';
import type { Scope } from '../operation.ts';
import type {
  Attachment,
  BackendName,
  CheckReport,
  GcReport,
  PoolState,
  RecoveryReport,
  RepairReport,
  VerifyReport,
} from '../types.ts';
import type { VerifyScope } from '../verify/verify.ts';
import type { AttachRequest, Detached, DetachRequest, Made, OwnVm } from './attachment/request.ts';

/**
 * What builds the attachments of one network; the manager knows nothing else. Every verb takes the locks that it needs,
 * so that several processes may share a network. One call at a time for each VM is the manager's to see to.
 */
export interface Backend {
  readonly name: BackendName;
  readonly network: string;
  /** What was made of what earlier processes left. */
  readonly recovery: RecoveryReport;
  recover(scope: Scope): Promise<void>;
  /** All or nothing: when it rejects, everything it began is undone. */
  attach(request: AttachRequest, scope: Scope): Promise<Made>;
  /** Idempotent. Cuts the link first; goes on past whatever else fails. */
  detach(request: DetachRequest, scope: Scope): Promise<Detached>;
  /** Until nobody holds what was the VM's namespace, which may have another by then; no verb about the VM waits for that. */
  untilFree(vmId: string, netns: NamespaceId | null, scope: Scope, closing: Stop): Promise<void>;
  check(vmId: string, scope: Scope): Promise<CheckReport>;
  /** Puts back what differs, of one VM or, with `null`, of all. */
  repair(vmId: string | null, scope: Scope): Promise<RepairReport>;
  list(scope: Scope): Promise<readonly Attachment[]>;
  /** Removes what belongs to none of the VMs that stay. */
  gc(keep: ReadonlySet<string>, scope: Scope): Promise<GcReport>;
  verify(scope: Scope, what?: VerifyScope): Promise<VerifyReport>;
  /** Removes the network itself; refuses while it has attachments. */
  remove(scope: Scope): Promise<void>;
  readonly pools: readonly PoolState[];
  /** Until the pool has its least number of slots. */
  warmUp(scope: Scope): Promise<void>;
  /** Of the VMs, those of which nothing is left. */
  departed(vms: readonly OwnVm[]): Promise<readonly OwnVm[]>;
  /** These, and those of which there is another attachment now, which somebody else has made. */
  departedOrReplaced(vms: readonly OwnVm[]): Promise<readonly OwnVm[]>;
  /** Lets go of what it knows of an attachment that others have taken away; no verb about the VM is under way. */
  forget(vm: OwnVm): void;
  /** Lets go of what it holds besides attachments. Idempotent. */
  close(): Promise<void>;
  /** Until what teardowns have left is the kernel's to free. */
  settle(): Promise<void>;
}
