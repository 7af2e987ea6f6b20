import { NetworkError } from '../errors.ts';
import type { BridgeState } from '../native/binding.ts';
import type { NativeLayout } from './native-layout.ts';
import type { Runtime } from './runtime.ts';

/** What the verbs of the native backend work with, once the network is prepared. */
export interface NativeRuntime {
  readonly runtime: Runtime;
  readonly layout: NativeLayout;
  readonly bridge: BridgeState;
}

export function nativeRuntime(runtime: Runtime): NativeRuntime {
  const { bridge, network } = runtime;
  const { layout, name } = network;
  if (bridge !== null && layout !== null) return { runtime, layout, bridge };
  throw new NetworkError('ERR_CONFLIST_INVALID', `network ${name} was not prepared for the native backend`);
}
