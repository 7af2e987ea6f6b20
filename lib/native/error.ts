/** What the addon rejects with: shaped like a system error of Node's. */
export interface NativeError extends Error {
  /** The errno's name: `EEXIST`. `ECANCELED` when the task was cancelled, `ETIMEDOUT` when its deadline passed. */
  readonly code: string;
  /** Negative, as libuv has it. */
  readonly errno: number;
  /** `mount`, `RTM_NEWLINK`, `NFT_MSG_NEWRULE`, ... */
  readonly syscall: string;
  readonly path?: string;
  /** The kernel's extended acknowledgement, when it sent one. */
  readonly kernelMessage?: string;
  /** The step of an attach or a detach that failed: `lock`, `address`, `anchor`, ... */
  readonly step?: string;
  /** Why, where an errno alone can't say it. */
  readonly reason?: NativeReason;
  /** What failed while undoing; absent when the undo was complete. */
  readonly undoErrors?: readonly NativeError[];
}

export type NativeReason =
  /** A directory is a symlink, is not ours or root's, or may be written by others. */
  | 'directory-unsafe'
  /** A name is taken by something that this library did not make. */
  | 'foreign'
  /** A path is not a network namespace. */
  | 'not-a-namespace'
  /** Another process holds the lock. */
  | 'lock-held'
  /** The kernel kept interrupting a dump, or kept answering EBUSY or ENOBUFS; retries ran out. */
  | 'retries-exhausted'
  /** A link exists with this name, but of another kind. */
  | 'wrong-kind'
  /** The bridge already has another address of this family. */
  | 'address-conflict'
  /** A bridge or subnet already belongs to another network. */
  | 'network-conflict'
  /** The attachment's record, or the VM's anchor, is there already. */
  | 'attachment-exists'
  /** Every address of the ranges is taken; the message says how many there are. */
  | 'addresses-exhausted'
  /** The requested address is somebody else's. */
  | 'address-taken'
  /** The bridge has as many ports as the kernel lets it have. */
  | 'bridge-full'
  /** A slot of the pool is not as it was built. */
  | 'slot-spoilt'
  /** The directory that says which addresses are taken is not there, or does not say all of them yet. */
  | 'store-missing'
  /** The firewall's table is not the one that the network's elements were last seen in. */
  | 'firewall-gone'
  /** What guests come through is no element of the network's in the firewall's table. */
  | 'firewall-bare';

/** What is to be done where a directory can't be opened because something else stands in its place; `null` for any other error. */
export function inPlaceOfDirectory({ code, reason }: NativeError): string | null {
  if (reason !== 'directory-unsafe' || (code !== 'ENOTDIR' && code !== 'ELOOP')) return null;
  return 'a file or a symlink is in its place, or in that of a directory above: look at it, and move it away';
}
