import type { AttachmentBinding } from './attachment.ts';
import type { EngineBinding } from './engine.ts';
import type { NetlinkBinding } from './netlink.ts';
import type { SlotBinding } from './slots.ts';
import type { SysBinding } from './sys.ts';

/**
 * The native addon. A test holds the addon's keys to this interface's.
 *
 * Every function that returns a promise runs on the addon's own threads, never on libuv's pool, and takes an optional
 * `taskId` by which {@link NativeBinding.cancel} can stop it: before it has begun, and while it waits for a lock. What builds
 * something can be stopped later, too, and is undone before the promise rejects; what takes away goes on to its end.
 * Paths are absolute. Rejections are `NativeError`s.
 */
export interface NativeBinding
  extends SysBinding,
    NetlinkBinding,
    EngineBinding,
    AttachmentBinding,
    SlotBinding {
  /** Stops the task if it is still running; its promise then rejects with ECANCELED. Unknown ids are ignored. */
  cancel(taskId: number): void;
}
