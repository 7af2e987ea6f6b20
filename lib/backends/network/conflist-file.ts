import type { FileName } from '../../native/attachment.ts';
import type { NativeBinding } from '../../native/binding.ts';
import { isNativeError, kernelError } from '../../native/kernel-error.ts';
import type { Network } from './network.ts';

/** The conflist that this library writes. */

/** Large enough for any. */
const limit = 1024 * 1024;

const noText = new Set(['ELOOP', 'EFBIG', 'EISDIR', 'ENOTDIR', 'EINVAL', 'ENXIO']);

/** `null`: the network's is the user's own. */
export function conflistFile({ generated, name }: Network): FileName | null {
  return generated === null ? null : { directory: generated.confDir, name: `${name}.conflist` };
}

/** `null`: there is none. What is no file of text is writeConfList's to judge. */
export async function readConflist(
  binding: Pick<NativeBinding, 'fileRead'>,
  file: FileName,
): Promise<string | null> {
  try {
    return await binding.fileRead({ ...file, limit });
  } catch (error) {
    if (isNativeError(error) && noText.has(error.code)) return null;
    throw kernelError('conflist', error);
  }
}
