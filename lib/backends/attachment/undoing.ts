import type { CacheRecord } from '../../cni/types.ts';
import type { NetworkError } from '../../errors.ts';
import type { Scope } from '../../operation.ts';
import type { HeldLock } from '../host/locks.ts';

/** What a backend undoes of its own between an attachment's cut and the end of its namespace's name. Each returns what failed. */
export interface Undoing {
  /** `netns` is empty where the namespace is gone, or another stands in its place. */
  recorded(
    record: CacheRecord,
    netns: string,
    lock: HeldLock,
    scope: Scope,
  ): Promise<readonly NetworkError[]>;
  /** What a setup that was killed has left beside its namespace; `netns` is empty where that is gone. */
  partial(containerId: string, netns: string, lock: HeldLock, scope: Scope): Promise<readonly NetworkError[]>;
  /** At the end of gc, under the network's lock: whatever is of no attachment that has its record then. */
  unkept(lock: HeldLock, scope: Scope): Promise<readonly NetworkError[]>;
}
