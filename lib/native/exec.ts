/** One run of a child process. */
import type { LockHandle } from './sys.ts';
import type { Task } from './task.ts';

export interface ExecPlan extends Task {
  readonly file: string;
  /** `argv[0]` is the file; these follow. */
  readonly args?: readonly string[];
  /** The whole environment: `KEY=value`. */
  readonly env: readonly string[];
  readonly stdin: string;
  /** After it the whole process group is killed. */
  readonly timeoutMs: number;
  /** Bytes; more than that kills the group (stdout) or is dropped (stderr). */
  readonly stdoutLimit: number;
  readonly stderrLimit: number;
  /** The only descriptor besides 0, 1 and 2 that the child inherits. */
  readonly lock?: LockHandle;
}

export interface ExecResult {
  /** `null` when a signal ended it. */
  readonly exitCode: number | null;
  /** `SIGKILL`, or `null`. */
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly timedOut: boolean;
  /** It was cancelled while it ran. Before its start, the promise rejects with ECANCELED as any other task's. */
  readonly cancelled: boolean;
  readonly stdoutOverflow: boolean;
  readonly durationMs: number;
}
