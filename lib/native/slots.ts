import type {
  AttachmentLocks,
  FileName,
  FileVersion,
  FilledSlot,
  NamedSlot,
  ReturnedSlot,
  SlotNamingPlan,
  SlotPlan,
  SlotReturnPlan,
} from './attachment.ts';
import type { NativeError } from './error.ts';
import type { Task } from './task.ts';

export interface SlotProofs {
  readonly against: readonly (NativeError | null)[];
  /** What took the longer the larger the host is. */
  readonly readingMs: number;
}

export interface LinkLabel {
  readonly name: string;
  readonly alias: string;
  readonly vm?: {
    readonly locks: AttachmentLocks;
    readonly record: FileName & { readonly version: FileVersion };
  };
}

/** What the addon does with slots: attachments without a VM. */
export interface SlotBinding {
  /** Lets the tasks of others go first after each of its steps, and waits while the kernel frees many namespaces. */
  slotFill(plan: SlotPlan): Promise<FilledSlot>;
  /**
   * All or nothing. A rejection at step `lock` or `firewall`, or without a step, left the slot as it was; after any other it is
   * to be destroyed. Reason `slot-spoilt`: somebody has changed what belongs to it. What it became keeps the handle.
   */
  slotName(plan: SlotNamingPlan): Promise<NamedSlot>;
  /**
   * Of a slot that is a VM's. Cuts the VM off, and gives the slot that it was, with its addresses, back to whom they were taken from. When it rejects, the
   * VM may be cut off, or its namespace nameless, and `detach` is to do the rest.
   */
  slotReturn(plan: SlotReturnPlan): Promise<ReturnedSlot>;
  /**
   * Keeps slots that were returned cut off, whoever is in their namespaces, which the return itself does not. Each: why it
   * can't be, or `null`.
   */
  slotsCut(plan: Task & { readonly slots: readonly number[] }): Promise<(NativeError | null)[]>;
  /** Of slots that were returned, each: what speaks against its being nobody's, seen from outside, or `null`. */
  slotsProve(plan: Task & { readonly slots: readonly number[] }): Promise<SlotProofs>;
  /** Of slots that were proven, each: what in its namespace, or of its connections, speaks against it, or `null`. */
  slotsEnter(plan: Task & { readonly slots: readonly number[] }): Promise<SlotProofs>;
  /** Of slots that were entered, each: why it can't be made what it was, or `null`. Lets others go first after each step. */
  slotsReset(plan: Task & { readonly slots: readonly number[] }): Promise<(NativeError | null)[]>;
  /** What a slot became is no more, or is another's. */
  slotForget(plan: { readonly slot: number }): void;
  /**
   * Writes on links of the host whose they are, past those that have gone: how many those were. One that was cut off would be on
   * the network again: without `vm` the caller holds the lock of the VM, which has its record; with it, the lock is taken,
   * and nothing is written where another file has the record's name, or none, or the lock is not to be had.
   */
  linkLabel(plan: Task & { readonly links: readonly LinkLabel[] }): Promise<number>;
  /**
   * What was left undone; the rest is done, and the slots are gone. Those that were VMs' are cut off first, for good: one that can't
   * be keeps its guard, routes and addresses.
   */
  slotDestroy(plan: Task & { readonly slots: readonly number[] }): Promise<NativeError[]>;
}
