import type { NativeBinding } from '../../native/binding.ts';
import { atStep } from '../../native/kernel-error.ts';

/** Which namespaces threads run in, read when it is first asked for. */
export function inhabitedNamespaces(
  binding: Pick<NativeBinding, 'inhabitedNamespaces'>,
): () => Promise<ReadonlySet<number>> {
  let inodes: Promise<ReadonlySet<number>> | null = null;
  return () => {
    inodes ??= atStep('inhabitants', async () => new Set(await binding.inhabitedNamespaces({})));
    return inodes;
  };
}
