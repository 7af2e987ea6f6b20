import { NetworkError } from '../../errors.ts';
import { BridgeChoice } from '../network/bridge-choice.ts';
import type { NativeLayout } from '../network/layout.ts';
import type { Bridge } from '../network/network.ts';
import type { Runtime } from '../network/runtime.ts';
import { AttachmentTemplate } from './template.ts';

/** What the verbs of the native backend work with, once the network is prepared. */
export class NativeRuntime {
  readonly runtime: Runtime;
  readonly layout: NativeLayout;
  readonly bridges: BridgeChoice;
  readonly #anyAddress = new WeakMap<Bridge, AttachmentTemplate>();

  constructor(runtime: Runtime, layout: NativeLayout) {
    this.runtime = runtime;
    this.layout = layout;
    this.bridges = new BridgeChoice(runtime);
  }

  /** `null`: for whatever address is free. */
  templateFor(address: string | null, bridge: Bridge): AttachmentTemplate {
    if (address !== null) return this.#compose(address, bridge);
    const known = this.#anyAddress.get(bridge);
    if (known !== undefined) return known;
    const template = this.#compose(null, bridge);
    this.#anyAddress.set(bridge, template);
    return template;
  }

  #compose(address: string | null, bridge: Bridge): AttachmentTemplate {
    return new AttachmentTemplate(this.runtime, this.layout, bridge, address);
  }
}

export function nativeRuntime(runtime: Runtime): NativeRuntime {
  const { layout, name } = runtime.network;
  if (layout !== null && runtime.bridges.length > 0) return new NativeRuntime(runtime, layout);
  throw new NetworkError('ERR_CONFLIST_INVALID', `network ${name} was not prepared for the native backend`);
}
