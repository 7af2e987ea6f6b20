import { AbortError, type ErrorCode, NetworkError, type NetworkErrorFields, withRemedy } from '../errors.ts';
import { inPlaceOfDirectory, type NativeError, type NativeReason } from './error.ts';

/** What the addon rejects with, as the public error that stands for it. */

const codesByReason: Readonly<Partial<Record<NativeReason, ErrorCode>>> = {
  'directory-unsafe': 'ERR_STATE_DIR_UNSAFE',
  foreign: 'ERR_NETNS_FOREIGN',
  'not-a-namespace': 'ERR_NETNS_FOREIGN',
  'lock-held': 'ERR_LOCK_TIMEOUT',
  'wrong-kind': 'ERR_BRIDGE_CONFLICT',
  'address-conflict': 'ERR_BRIDGE_CONFLICT',
  'network-conflict': 'ERR_BRIDGE_CONFLICT',
  'attachment-exists': 'ERR_ATTACHMENT_EXISTS',
  'addresses-exhausted': 'ERR_ADDRESSES_EXHAUSTED',
  'address-taken': 'ERR_ADDRESS_TAKEN',
  'bridge-full': 'ERR_BRIDGE_FULL',
  'firewall-gone': 'ERR_FIREWALL',
  'firewall-bare': 'ERR_FIREWALL',
};

const codesByErrno: Readonly<Record<string, ErrorCode>> = {
  EPERM: 'ERR_PERMISSION',
  EACCES: 'ERR_PERMISSION',
  EMFILE: 'ERR_DESCRIPTORS',
  ENFILE: 'ERR_DESCRIPTORS',
};

/** Where the errno says it, whatever was tried. */
export function codeByErrno({ code }: Pick<NativeError, 'code'>): ErrorCode | undefined {
  return codesByErrno[code];
}

/** What makes a link answers EEXIST when its name is taken. */
const linkMakers = new Set(['RTM_NEWLINK', 'ioctl(TUNSETIFF)']);

/** A file of ours can't be written; every step that writes one names it so. */
const fullDisk = new Set(['ENOSPC', 'EDQUOT', 'EROFS']);

const sysctls = '/proc/sys/';

export function isNativeError(error: unknown): error is NativeError {
  return error instanceof Error && 'syscall' in error && 'errno' in error;
}

/** The key, where it is one that can't be written; `null` for any other error. */
function readOnlySysctl({ code, path }: NativeError): string | null {
  return code === 'EROFS' && path?.startsWith(sysctls) === true ? path.slice(sysctls.length) : null;
}

/** What the kernel answers a namespace or a mount too many with, as it would on a full disk. */
export function isKernelLimit({ code, syscall }: Pick<NativeError, 'code' | 'syscall'>): boolean {
  return code === 'ENOSPC' && (syscall === 'unshare' || syscall.startsWith('mount'));
}

export const raiseLimits =
  'raise user.max_net_namespaces, user.max_mnt_namespaces and fs.mount-max (sysctl -w), or tear down VMs';

/** What is to be done about this very error; `null`: what its code says. */
function particulars(error: NativeError): string | null {
  const key = readOnlySysctl(error);
  if (key !== null) {
    return `/proc/sys is read-only here, as in many containers: mount it writable, or set ${key} outside`;
  }
  if (error.code === 'EROFS')
    return 'make its file system writable again (mount -o remount,rw), and see why it is not (dmesg)';
  return isKernelLimit(error) ? raiseLimits : inPlaceOfDirectory(error);
}

function codeOf(error: NativeError, otherwise: ErrorCode): ErrorCode {
  const { code, reason, syscall } = error;
  if (readOnlySysctl(error) !== null) return otherwise;
  const byReason = reason === undefined ? undefined : codesByReason[reason];
  if (byReason !== undefined) return byReason;
  if (code === 'EEXIST' && linkMakers.has(syscall)) return 'ERR_LINK_EXISTS';
  if (isKernelLimit(error)) return otherwise;
  return fullDisk.has(code) ? 'ERR_RECORD_WRITE' : (codeByErrno(error) ?? otherwise);
}

/** Errors that are public already, and those that are no refusal of the kernel's, stay as they are. */
export function kernelError(
  step: string,
  error: unknown,
  otherwise: ErrorCode = 'ERR_KERNEL',
  fields: NetworkErrorFields = {},
): unknown {
  if (!isNativeError(error)) return error;
  const { code, errno, syscall, path, kernelMessage, undoErrors = [] } = error;
  const rolledBack = undoErrors.length === 0;
  if (code === 'ECANCELED') return new AbortError(rolledBack, { cause: error });
  const result = codeOf(error, otherwise);
  const problem = `${step}: ${error.message}`;
  const remedy = particulars(error);
  const message = remedy === null ? withRemedy(result, problem) : `${problem}; ${remedy}`;
  return new NetworkError(result, message, {
    ...{ step, errno, syscall, cause: error },
    ...(path === undefined ? {} : { path }),
    ...(kernelMessage === undefined ? {} : { kernelMessage }),
    ...(rolledBack ? {} : { rolledBack, errors: undoErrors }),
    ...fields,
  });
}

/** Runs a step of native work; what it rejects with is public. */
export async function atStep<T>(step: string, work: () => Promise<T>, otherwise?: ErrorCode): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw kernelError(step, error, otherwise);
  }
}
