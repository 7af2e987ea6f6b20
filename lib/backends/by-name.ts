import { CniBackend } from './cni.ts';
import { NativeBackend } from './native.ts';

export const backends = { native: NativeBackend, cni: CniBackend } as const;
