import type { AnyResult, RuntimeConf } from '../cni/types.ts';
import { AbortError, NetworkError } from '../errors.ts';
import type { Scope } from '../operation.ts';
import type { NetworkConfig } from '../types.ts';
import type { AttachRequest } from './backend.ts';
import { labelHostLink } from './host-link.ts';
import { atStep } from './kernel-error.ts';
import type { HeldLock } from './locks.ts';
import { makeRoom } from './make-room.ts';
import { incompleteResult, networkConfig, tapNameOf } from './network-config.ts';
import { keyOf } from './records.ts';
import type { Runtime } from './runtime.ts';
import { runtimeConf } from './runtime-conf.ts';
import type { Undoing } from './undoing.ts';

/** One setup, under the VM's lock: anchor, chain, alias, and last the record. */

export async function attachUnderLock(
  runtime: Runtime,
  undoing: Undoing,
  request: AttachRequest,
  lock: HeldLock,
  scope: Scope,
): Promise<NetworkConfig> {
  await makeRoom(runtime, undoing, request, lock, scope);
  return new Attempt(runtime, request, lock, scope).run();
}

/** One run of the chain, and the undoing of as much of it as was done. */
class Attempt {
  readonly #runtime: Runtime;
  readonly #request: AttachRequest;
  readonly #lock: HeldLock;
  readonly #scope: Scope;
  readonly #target: RuntimeConf;
  #anchored = false;
  #result: AnyResult | null = null;

  constructor(runtime: Runtime, request: AttachRequest, lock: HeldLock, scope: Scope) {
    this.#runtime = runtime;
    this.#request = request;
    this.#lock = lock;
    this.#scope = scope;
    this.#target = runtimeConf(runtime, request);
  }

  async run(): Promise<NetworkConfig> {
    const { anchors, cache, network } = this.#runtime;
    const { vmId, containerId } = this.#request;
    const lock = this.#lock;
    try {
      this.#scope.step = 'anchor';
      await anchors.create(vmId, lock, this.#scope);
      this.#anchored = true;
      const result = await this.#add();
      const config = await this.#describe(result);
      if (this.#scope.signal.aborted) throw new AbortError(true);
      this.#scope.step = 'record';
      const key = keyOf(this.#runtime, containerId);
      await cache.write({ ...key, ...this.#target, config: network.list.text, result });
      lock.spent = false;
      return config;
    } catch (error) {
      throw await this.#undo(error);
    }
  }

  async #add(): Promise<AnyResult> {
    const { plugins } = this.#runtime.network.list;
    const nextStep = (index: number) => {
      this.#scope.step = `plugin:${plugins[index]?.type ?? ''} ADD`;
    };
    nextStep(0);
    const result = await this.#runtime.chain.add(this.#target, {
      lock: this.#lock.handle,
      signal: this.#scope.signal,
      afterPlugin: (index) => nextStep(index + 1),
    });
    this.#result = result;
    return result;
  }

  async #describe(result: AnyResult): Promise<NetworkConfig> {
    const { binding } = this.#runtime;
    const { vmId, mac, containerId } = this.#request;
    const key = keyOf(this.#runtime, containerId);
    this.#scope.step = 'alias';
    await labelHostLink(binding, key, result);
    this.#scope.step = 'result';
    const { netns } = this.#target;
    const { links } = await atStep('result', () => binding.dump({ netns, kinds: ['links'] }));
    const tap = links.find(({ name }) => name === tapNameOf(result, key));
    const facts = { ...key, vmId, backend: 'cni', netnsPath: netns } as const;
    const config = tap === undefined ? null : networkConfig(facts, result, tap.mtu);
    if (config === null) throw incompleteResult(key);
    if (mac !== null && config.mac !== mac) {
      const message = `the chain gave ${vmId} the MAC ${config.mac} instead of ${mac}: give its first plugin "capabilities": { "mac": true }`;
      throw new NetworkError('ERR_OPTION_INVALID', message, { step: 'result' });
    }
    return config;
  }

  /** Heeds no signal. What a plugin could not undo stays under the anchor, where teardown and gc find it. */
  async #undo(error: unknown): Promise<unknown> {
    const errors: Error[] = [];
    if (this.#result !== null) {
      errors.push(
        ...(await this.#runtime.chain.del(this.#target, this.#result, { lock: this.#lock.handle })),
      );
    }
    const complete = errors.length === 0 && rolledBackBy(error);
    this.#lock.spent = complete;
    if (this.#anchored && complete) {
      await this.#runtime.anchors.remove(this.#request.vmId, this.#lock).catch((failure: Error) => {
        this.#lock.spent = false;
        errors.push(failure);
      });
    }
    return withUndo(error, complete && errors.length === 0, errors);
  }
}

/** What the step that failed says about its own undo; a step that says nothing has begun nothing. */
function rolledBackBy(error: unknown): boolean {
  return error instanceof AbortError || error instanceof NetworkError ? (error.rolledBack ?? true) : true;
}

function withUndo(error: unknown, rolledBack: boolean, errors: readonly Error[]): unknown {
  if (error instanceof AbortError) return new AbortError(rolledBack, { cause: error.cause });
  if (!(error instanceof NetworkError)) return error;
  const all = [...(error.errors ?? []), ...errors];
  return error.with({ rolledBack, ...(all.length === 0 ? {} : { errors: all }) });
}
