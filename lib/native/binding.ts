import type { AttachmentBinding } from './attachment.ts';
import type { EngineBinding } from './engine.ts';
import type { NetlinkBinding } from './netlink.ts';
import type { SlotBinding } from './slots.ts';
import type { SysBinding } from './sys.ts';

/**
 * The native addon. A test holds the addon's keys to this interface's.
 *
 * Every function that returns a promise runs on the addon's own threads, never on libuv's pool, and takes an optional
 * `taskId` by which {@link NativeBinding.cancel} can stop it. What it began is undone before the promise rejects.
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
