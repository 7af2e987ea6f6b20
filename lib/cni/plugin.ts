import { stopOf } from '../async/stop.ts';
import { AbortError, NetworkError, withRemedy } from '../errors.ts';
import type { NativeBinding } from '../native/binding.ts';
import type { NativeError } from '../native/error.ts';
import type { ExecResult } from '../native/exec.ts';
import { codeByErrno } from '../native/kernel-error.ts';
import type { LockHandle } from '../native/sys.ts';
import { runTask } from '../native/task.ts';
import { type CallName, outputOf, pluginError, stepOf } from './outcome.ts';

/** One run of one plugin. */

/** What executes plugins: the native binding, or a test's stand-in. */
export type PluginRunner = Pick<NativeBinding, 'exec' | 'cancel'>;

export interface PluginCall extends CallName {
  /** Whose attachment it is about, for events; absent where it is none's, or nobody knows. */
  readonly vmId?: string | undefined;
  /** Absent, or empty, where it is about no attachment. */
  readonly containerId?: string | undefined;
  readonly path: string;
  readonly env: readonly string[];
  readonly stdin: string;
  readonly timeoutMs: number;
  /** Inherited by the plugin, so that it outlives this process together with the plugin's work. */
  readonly lock?: LockHandle | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** For logs and channels: a run that ended, well or not. */
export interface PluginEvent extends CallName {
  readonly vmId: string | null;
  readonly containerId: string | null;
  readonly durationMs: number;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly timedOut: boolean;
}

const stdoutLimit = 8 * 1024 * 1024;
const stderrLimit = 64 * 1024;

const notExecutable: Readonly<Record<string, string>> = {
  EACCES: 'it has no x bit, or its file system is mounted noexec',
  EPERM: 'the kernel does not allow it',
  ENOEXEC: 'it is neither a program of this architecture nor a script',
  ELIBBAD: 'it is damaged',
  ENOENT: 'it, or the interpreter that it names, is gone',
  ENOTDIR: 'it, or the interpreter that it names, is gone',
  ETXTBSY: 'it is open for writing, and stayed so when tried again',
};

function startError(call: PluginCall, error: NativeError): Error {
  if (error.code === 'ECANCELED') return new AbortError(false, { cause: call.signal?.reason });
  const problem = notExecutable[error.code];
  if (problem !== undefined) {
    const message = `${call.path} cannot be executed: ${problem} (${error.code} from ${error.syscall})`;
    return pluginError('ERR_PLUGIN_NOT_EXECUTABLE', call, message, {}, { cause: error, path: call.path });
  }
  const code = codeByErrno(error) ?? 'ERR_KERNEL';
  return new NetworkError(code, withRemedy(code, `cannot start ${call.path}: ${error.message}`), {
    ...{ step: stepOf(call), path: call.path, cause: error },
    ...{ errno: error.errno, syscall: error.syscall },
  });
}

async function execute(runner: PluginRunner, call: PluginCall): Promise<ExecResult> {
  const { path: file, env, stdin, timeoutMs, signal, lock } = call;
  const limits = { timeoutMs, stdoutLimit, stderrLimit };
  const inherited = lock === undefined ? {} : { lock };
  return runTask(runner, signal && stopOf(signal), (taskId) =>
    runner.exec({ file, env, stdin, ...limits, ...inherited, taskId }),
  );
}

/** What the plugin printed. Rejects with a NetworkError, or with AbortError when the signal ended it. */
export async function callPlugin(
  runner: PluginRunner,
  call: PluginCall,
  onEnd?: (event: PluginEvent) => void,
): Promise<string> {
  let result: ExecResult;
  try {
    result = await execute(runner, call);
  } catch (error) {
    throw error instanceof AbortError ? error : startError(call, error as NativeError);
  }
  const { type, command, vmId = null, containerId = '' } = call;
  const { durationMs, exitCode, signal, timedOut } = result;
  const ended = { durationMs, exitCode, signal, timedOut };
  onEnd?.({ type, command, vmId, containerId: containerId === '' ? null : containerId, ...ended });
  return outputOf(call, result);
}
