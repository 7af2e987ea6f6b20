import { AbortError } from '../errors.ts';
import type { NativeBinding } from './binding.ts';

let lastTaskId = 0;

/** Ids are the addon's, one sequence for the whole process; 32 bits wide. */
function nextTaskId(): number {
  lastTaskId = (lastTaskId % 0xffff_ffff) + 1;
  return lastTaskId;
}

/**
 * Runs a native task that the signal can cancel. What native code was doing when it was cancelled it undoes itself;
 * the promise then rejects with what the task rejects with, or resolves if the task had won.
 */
export async function runTask<T>(
  binding: Pick<NativeBinding, 'cancel'>,
  signal: AbortSignal | undefined,
  start: (taskId: number) => Promise<T>,
): Promise<T> {
  if (signal?.aborted) throw new AbortError(true, { cause: signal.reason });
  const taskId = nextTaskId();
  const cancel = () => binding.cancel(taskId);
  signal?.addEventListener('abort', cancel, { once: true });
  try {
    return await start(taskId);
  } finally {
    signal?.removeEventListener('abort', cancel);
  }
}
