import type { FileVersion } from './attachment.ts';
import type { ExecPlan, ExecResult } from './exec.ts';
import type { NamespaceHolder } from './host.ts';
import type { NamedText } from './survey.ts';
import type { Task } from './task.ts';

/** A held flock; released by `lockRelease` or when the process (and every child that inherited it) ends. */
export type LockHandle = number;

export interface LockPlan extends Task {
  readonly directory: string;
  readonly name: string;
  readonly mode: 'exclusive' | 'shared';
  readonly timeoutMs: number;
}

export interface AnchorPlan extends Task {
  /** `/var/run/netns`; created as iproute2 does (a shared mount) if it is not there. */
  readonly directory: string;
  readonly name: string;
  /** The vmId's lock. Its file carries the claim: device and inode of the namespace that was made under it. */
  readonly lock: LockHandle;
}

export interface NamespaceId {
  readonly inode: number;
  readonly device: number;
}

export interface AnchorState extends NamespaceId {
  /** `file`: a plain file, which may be a live namespace seen from another mount namespace. */
  readonly kind: 'absent' | 'namespace' | 'file' | 'other';
  /** Whether the lock's claim names this very namespace; for anything else: whether it names one at all. */
  readonly claimed: boolean;
  /** Whose the attachment is by the lock's claim; `null`: the VM's own, or it does not say. */
  readonly container: string | null;
  /** Since the last change of its status. */
  readonly ageMs: number;
  /** Whether it is the namespace of this process. */
  readonly isHost: boolean;
}

export interface FoundFile {
  readonly path: string;
  /** Whether this process may execute it. */
  readonly executable: boolean;
}

/** Namespaces, locks, files, processes. */
export interface SysBinding {
  // Locks. A lock file that was removed while waiting is noticed, and the wait starts again on the new one.
  lockAcquire(plan: LockPlan): Promise<LockHandle>;
  /** `remove` unlinks the file, still under the lock; `keep` leaves one that claims nothing, which else goes, too. */
  lockRelease(plan: {
    readonly lock: LockHandle;
    readonly remove?: boolean;
    readonly keep?: boolean;
  }): Promise<void>;

  // Anchors.
  /** New namespace, claim, O_EXCL name, bind mount; rejects with EEXIST and reason `foreign` when the name is taken. */
  anchorCreate(plan: AnchorPlan & { readonly container?: string }): Promise<AnchorState>;
  /** `lock` absent: `claimed` is false. */
  anchorState(plan: Omit<AnchorPlan, 'lock'> & { readonly lock?: LockHandle }): Promise<AnchorState>;
  /** Unmounts (lazily) and unlinks. Absent is fine. Refuses what is neither a namespace nor an empty plain file. */
  anchorRemove(plan: AnchorPlan): Promise<void>;
  /** Writes the lock's claim again for the namespace that has the name; the caller knows that it is the VM's. */
  anchorClaim(plan: AnchorPlan & { readonly container?: string }): Promise<void>;
  /** Names the namespace of the lock's claim again; false when nobody holds it any more. */
  anchorRestore(plan: AnchorPlan): Promise<boolean>;
  /** Names in the directory that begin with `prefix`, sorted. */
  anchorList(plan: Task & { readonly directory: string; readonly prefix: string }): Promise<string[]>;
  /** Whether the path, symbolic links followed, leads to the namespace of this process. */
  isHostNamespace(plan: Task & { readonly path: string }): Promise<boolean>;
  /** Inodes of the network namespaces that threads run in. */
  inhabitedNamespaces(plan: Task): Promise<number[]>;
  /** Who keeps each of the namespaces alive, in their order. */
  namespaceHolders(
    plan: Task & { readonly namespaces: readonly NamespaceId[] },
  ): Promise<NamespaceHolder[][]>;
  /** Whether this process's mount namespace is pid 1's, and whether names made in `directory` are made outside as well. */
  mountState(
    plan: Task & { readonly directory: string },
  ): Promise<{ readonly hostMountNamespace: boolean; readonly shared: boolean }>;

  // Files, relative to a checked directory, O_NOFOLLOW | O_CLOEXEC. With `follow`, for configuration that an
  // administrator wrote, the directory is not checked and symbolic links are followed.
  directoryEnsure(
    plan: Task & { readonly path: string; readonly mode: number },
  ): Promise<{ readonly created: boolean }>;
  /** `null`: no such file. Larger than `limit`: EFBIG. */
  fileRead(
    plan: Task & {
      readonly directory: string;
      readonly name: string;
      readonly limit: number;
      readonly follow?: boolean;
    },
  ): Promise<string | null>;
  /** `null`: no such file. */
  fileVersion(
    plan: Task & { readonly directory: string; readonly name: string },
  ): Promise<FileVersion | null>;
  /** Readers see the old content or the new, never a part; nothing is left when it fails. */
  fileWrite(
    plan: Task & {
      readonly directory: string;
      readonly name: string;
      readonly data: string;
      readonly mode: number;
    },
  ): Promise<void>;
  /** Whether there was one. */
  fileRemove(plan: Task & { readonly directory: string; readonly name: string }): Promise<boolean>;
  /** Names of regular files, sorted by byte; empty when the directory is missing. */
  fileList(plan: Task & { readonly directory: string; readonly follow?: boolean }): Promise<string[]>;
  /** All files of `fileList` with what they hold, in one reading. */
  fileReadAll(plan: Task & { readonly directory: string; readonly limit: number }): Promise<NamedText[]>;
  /** The first of the directories that has `name` as a regular file, symbolic links followed; `null`: none has it. */
  fileFind(
    plan: Task & { readonly directories: readonly string[]; readonly name: string },
  ): Promise<FoundFile | null>;

  // The rest.
  exec(plan: ExecPlan): Promise<ExecResult>;
  /** `net/ipv4/ip_forward`; `null` when there is no such key. */
  sysctlRead(plan: Task & { readonly key: string }): Promise<string | null>;
  /** Written only when it differs; says whether it did. */
  sysctlWrite(plan: Task & { readonly key: string; readonly value: string }): Promise<boolean>;
  /** Effective capabilities as a bit mask in hexadecimal, as `/proc/self/status` has it. */
  capabilities(): Promise<string>;
  /** How many descriptors this process may have open, and how many of those no slot of a pool takes. */
  descriptorLimit(): Promise<{ readonly most: number; readonly kept: number }>;
}
