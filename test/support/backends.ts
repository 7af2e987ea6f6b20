import type { BackendName, NetworkLayout } from '../../lib/types.ts';

/** What builds attachments; each must pass the same tests. */
export const backends: readonly BackendName[] = ['native', 'cni'];

/** The native backend's, besides the one bridge that both know; `VULCAN_LAYOUTS=bridge` leaves them out. */
export const layouts: readonly NetworkLayout[] =
  process.env['VULCAN_LAYOUTS'] === 'bridge' ? [] : ['bridges', 'routed'];
