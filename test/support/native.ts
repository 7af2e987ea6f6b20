import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { NativeBinding } from '../../lib/native/binding.ts';

/** The addon as `npm install` builds it. */
export const addonFile = fileURLToPath(new URL('../../build/Release/vulcan_net.node', import.meta.url));

export const native = createRequire(import.meta.url)(addonFile) as NativeBinding;
