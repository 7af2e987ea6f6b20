import { NetworkError } from '../errors.ts';
import type { BridgeState } from '../native/binding.ts';
import type { NativeLayout } from './native-layout.ts';
import { AttachmentTemplate } from './native-template.ts';
import type { Runtime } from './runtime.ts';

/** What the verbs of the native backend work with, once the network is prepared. */
export class NativeRuntime {
  readonly runtime: Runtime;
  readonly layout: NativeLayout;
  readonly #bridge: BridgeState;
  #anyAddress: AttachmentTemplate | null = null;

  constructor(runtime: Runtime, layout: NativeLayout, bridge: BridgeState) {
    this.runtime = runtime;
    this.layout = layout;
    this.#bridge = bridge;
  }

  /** `null`: for whatever address is free. */
  templateFor(address: string | null): AttachmentTemplate {
    if (address !== null) return this.#compose(address);
    this.#anyAddress ??= this.#compose(null);
    return this.#anyAddress;
  }

  #compose(address: string | null): AttachmentTemplate {
    return new AttachmentTemplate(this.runtime, this.layout, this.#bridge.mac, address);
  }
}

export function nativeRuntime(runtime: Runtime): NativeRuntime {
  const { bridge, network } = runtime;
  const { layout, name } = network;
  if (bridge !== null && layout !== null) return new NativeRuntime(runtime, layout, bridge);
  throw new NetworkError('ERR_CONFLIST_INVALID', `network ${name} was not prepared for the native backend`);
}
