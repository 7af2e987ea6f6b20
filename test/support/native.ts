import { fileURLToPath } from 'node:url';
import { loadNative } from '../../lib/native/load.ts';

export const native = loadNative();

/** What {@link native} was loaded from, for processes that load it themselves. */
export const addonFile =
  process.env['VULCAN_NET_NATIVE'] ??
  fileURLToPath(new URL('../../build/Release/vulcan_net.node', import.meta.url));
