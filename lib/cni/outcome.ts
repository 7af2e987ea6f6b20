import {
  AbortError,
  type ErrorCode,
  NetworkError,
  type NetworkErrorFields,
  type PluginFailure,
} from '../errors.ts';
import type { ExecResult } from '../native/exec.ts';
import { decodeErrorReply, type ErrorReply, parseJson } from './protocol.ts';
import type { Command } from './types.ts';

/** How a plugin's run ended: what it printed, or the error that stands for it. */

export interface CallName {
  readonly type: string;
  readonly command: Command;
}

/** Codes of the specification that mean something to this library. */
const codeIncompatibleVersion = 1;

const exhausted = /no IP addresses available in range set/;
const taken = /requested IP address \S+ is not available in range set/;
const quotedBytes = 200;

export function stepOf({ type, command }: CallName): string {
  return `plugin:${type} ${command}`;
}

export function pluginError(
  code: ErrorCode,
  name: CallName,
  problem: string,
  failure: Partial<PluginFailure> = {},
  fields: NetworkErrorFields = {},
): NetworkError {
  return new NetworkError(code, `plugin ${name.type} (${name.command}): ${problem}`, {
    ...fields,
    step: stepOf(name),
    plugin: { ...failure, type: name.type, command: name.command },
  });
}

function quoted(text: string): string {
  return JSON.stringify(text.length > quotedBytes ? `${text.slice(0, quotedBytes)}...` : text);
}

function reportedCode({ code, msg, details }: ErrorReply): ErrorCode {
  if (code === codeIncompatibleVersion) return 'ERR_VERSION_UNSUPPORTED';
  const text = `${msg} ${details}`;
  if (exhausted.test(text)) return 'ERR_ADDRESSES_EXHAUSTED';
  return taken.test(text) ? 'ERR_ADDRESS_TAKEN' : 'ERR_PLUGIN_FAILED';
}

function exitError(name: CallName, { stdout, stderr, exitCode }: ExecResult): NetworkError {
  const failure = { exitCode, stderr };
  if (stdout.trim() === '') {
    const said = stderr.trim() === '' ? 'printed nothing' : `printed no error but ${quoted(stderr.trim())}`;
    return pluginError('ERR_PLUGIN_SILENT', name, `exited with ${exitCode} and ${said}`, failure);
  }
  const json = parseJson(stdout);
  const reply = json.ok ? decodeErrorReply(json.value) : json;
  if (!reply.ok) {
    return pluginError(
      'ERR_PLUGIN_OUTPUT_INVALID',
      name,
      `exited with ${exitCode} and printed ${quoted(stdout)}, which is no CNI error (${reply.problem})`,
      failure,
    );
  }
  const { code, msg, details } = reply.value;
  const reported = { ...failure, code, msg, ...(details === '' ? {} : { details }) };
  return pluginError(reportedCode(reply.value), name, details === '' ? msg : `${msg}; ${details}`, reported);
}

/** What the plugin printed. Throws a NetworkError unless it ended by itself and well, AbortError if it was cancelled. */
export function outputOf(name: CallName, result: ExecResult): string {
  const { stdout, stderr, exitCode, signal, durationMs } = result;
  const failure = { exitCode, signal, stderr };
  if (result.cancelled) throw new AbortError(false);
  if (result.timedOut) {
    const problem = `did not finish within ${Math.round(durationMs)} ms; it was killed with all its children`;
    throw pluginError('ERR_PLUGIN_TIMEOUT', name, problem, failure);
  }
  if (result.stdoutOverflow) {
    const problem = `printed more than ${stdout.length} bytes; it was killed`;
    throw pluginError('ERR_PLUGIN_OUTPUT_TOO_LARGE', name, problem, failure);
  }
  if (signal !== null) throw pluginError('ERR_PLUGIN_KILLED', name, `was ended by ${signal}`, failure);
  if (exitCode !== 0) throw exitError(name, result);
  return stdout;
}
