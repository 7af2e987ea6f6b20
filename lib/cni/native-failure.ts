import { AbortError, NetworkError, type NetworkErrorFields } from '../errors.ts';
import type { NativeError } from '../native/error.ts';

const forbidden = new Set(['EPERM', 'EACCES']);

/** What the addon has rejected with, as the public error that stands for it; other errors stay as they are. */
export function nativeFailure(error: Error | NativeError, fields: NetworkErrorFields): Error {
  if (!('syscall' in error)) return error;
  const { code, errno, syscall, message, kernelMessage } = error;
  if (code === 'ECANCELED') return new AbortError(true, { cause: error });
  return new NetworkError(forbidden.has(code) ? 'ERR_PERMISSION' : 'ERR_KERNEL', message, {
    ...{ errno, syscall, cause: error },
    ...(kernelMessage === undefined ? {} : { kernelMessage }),
    ...fields,
  });
}
