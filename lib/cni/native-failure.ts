import { AbortError, NetworkError, type NetworkErrorFields, withRemedy } from '../errors.ts';
import type { NativeError } from '../native/error.ts';
import { codeByErrno } from '../native/kernel-error.ts';

/** What the addon has rejected with, as the public error that stands for it; other errors stay as they are. */
export function nativeFailure(error: Error | NativeError, fields: NetworkErrorFields): Error {
  if (!('syscall' in error)) return error;
  const { code, errno, syscall, message, kernelMessage } = error;
  if (code === 'ECANCELED') return new AbortError(true, { cause: error });
  const result = codeByErrno(error) ?? 'ERR_KERNEL';
  return new NetworkError(result, withRemedy(result, message), {
    ...{ errno, syscall, cause: error },
    ...(kernelMessage === undefined ? {} : { kernelMessage }),
    ...fields,
  });
}
