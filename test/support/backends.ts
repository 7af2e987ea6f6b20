import type { BackendName } from '../../lib/types.ts';

/** What builds attachments; each must pass the same tests. */
export const backends: readonly BackendName[] = ['native', 'cni'];
