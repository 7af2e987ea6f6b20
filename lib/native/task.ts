import type { Stop, StopWatch } from '../async/stop.ts';
import { AbortError } from '../errors.ts';
import type { NativeBinding } from './binding.ts';

export interface Task {
  readonly taskId?: number;
}

/** Where this module is evaluated twice (by a hot reload), the addon is still one, and refuses an id that is in use. */
const lastTaskId = Symbol.for('vulcan-net.lastTaskId');
const thread: typeof globalThis & { [lastTaskId]?: number } = globalThis;

/** Ids are the addon's, which each thread has of its own: one sequence for all of it; 32 bits wide. */
function nextTaskId(): number {
  const taskId = ((thread[lastTaskId] ?? 0) % 0xffff_ffff) + 1;
  thread[lastTaskId] = taskId;
  return taskId;
}

/** A task that is cancelled when its caller is stopped, until it is ended. */
export interface StoppableTask {
  readonly taskId: number;
  readonly watch: StopWatch;
}

export function stoppableTask(binding: Pick<NativeBinding, 'cancel'>, stop: Stop): StoppableTask {
  if (stop.stopped) throw new AbortError(true, { cause: stop.reason });
  const taskId = nextTaskId();
  return { taskId, watch: stop.onStop(() => binding.cancel(taskId)) };
}

/**
 * Runs a native task that may be stopped. What native code was doing when it was cancelled it undoes itself; the promise
 * then rejects with what the task rejects with, or resolves if the task had won.
 */
export async function runTask<T>(
  binding: Pick<NativeBinding, 'cancel'>,
  stop: Stop | undefined,
  start: (taskId: number) => Promise<T>,
): Promise<T> {
  if (stop === undefined) return start(nextTaskId());
  const { taskId, watch } = stoppableTask(binding, stop);
  try {
    return await start(taskId);
  } finally {
    watch.end();
  }
}
