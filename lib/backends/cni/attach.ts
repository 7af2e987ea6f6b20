import { isDeepStrictEqual } from 'node:util';
import type { AnyResult, Result, RuntimeConf } from '../../cni/types.ts';
import { AbortError, NetworkError } from '../../errors.ts';
import { addressRequests } from '../../ipam.ts';
import type { GuardedPort } from '../../native/attachment.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { Scope } from '../../operation.ts';
import type { NetworkConfig } from '../../types.ts';
import { guard, guardedPort, unguard } from '../attachment/guard.ts';
import { makeRoom } from '../attachment/make-room.ts';
import { incompleteResult, networkConfig, tapNameOf } from '../attachment/network-config.ts';
import { keyOf } from '../attachment/records.ts';
import type { AttachRequest, Made } from '../attachment/request.ts';
import { runtimeConf } from '../attachment/runtime-conf.ts';
import type { Undoing } from '../attachment/undoing.ts';
import { hostEnd, labelHostLink, ownLink } from '../host/host-link.ts';
import type { HeldLock } from '../host/locks.ts';
import { releaseOwnerless } from '../network/addresses.ts';
import { knownLayout } from '../network/layout.ts';
import type { Runtime } from '../network/runtime.ts';

/** One setup, under the VM's lock: anchor, chain, alias, and last the record. */

export async function attachUnderLock(
  runtime: Runtime,
  undoing: Undoing,
  request: AttachRequest,
  lock: HeldLock,
  scope: Scope,
): Promise<Made> {
  await makeRoom(runtime, undoing, request, lock, scope);
  const attempt = new Attempt(runtime, request, lock, scope);
  refuseNoGuests(runtime, request);
  return attempt.run();
}

/** An address of the network that is no guest's, where that is not for its plugins alone to know. */
function refuseNoGuests({ network }: Runtime, { address }: AttachRequest): void {
  if (address === null) return;
  const layout = network.layout ?? knownLayout(network.list, 'the conflist');
  if (layout !== null) addressRequests(layout.sets, [address]);
}

/** One run of the chain, and the undoing of as much of it as was done. */
class Attempt {
  readonly #runtime: Runtime;
  readonly #request: AttachRequest;
  readonly #lock: HeldLock;
  readonly #scope: Scope;
  readonly #target: RuntimeConf;
  #anchored = false;
  /** The name of the link that the firewall knows by its group. */
  #grouped: string | null = null;
  #guarded: GuardedPort | null = null;
  #result: AnyResult | null = null;

  constructor(runtime: Runtime, request: AttachRequest, lock: HeldLock, scope: Scope) {
    this.#runtime = runtime;
    this.#request = request;
    this.#lock = lock;
    this.#scope = scope;
    this.#target = runtimeConf(runtime, request);
  }

  async run(): Promise<Made> {
    const { anchors, cache, network } = this.#runtime;
    const { vmId, containerId } = this.#request;
    const lock = this.#lock;
    try {
      this.#scope.step = 'anchor';
      await anchors.create(vmId, containerId, lock, this.#scope);
      this.#anchored = true;
      const result = await this.#add();
      const config = await this.#describe(result);
      if (this.#scope.signal.aborted) throw new AbortError(true);
      this.#scope.step = 'record';
      const key = keyOf(this.#runtime, containerId);
      await cache.write({ ...key, ...this.#target, config: network.list.text, result });
      lock.spent = false;
      return { config, hostLink: hostEnd(result)?.name ?? null };
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
      vmId: this.#request.vmId,
      lock: this.#lock.handle,
      signal: this.#scope.signal,
      afterPlugin: async (index, result) => {
        await this.#joinGroup(result);
        await this.#guard(result);
        nextStep(index + 1);
      },
    });
    this.#result = result;
    return result;
  }

  async #describe(result: AnyResult): Promise<NetworkConfig> {
    const { binding, network } = this.#runtime;
    const { vmId, mac, address, containerId } = this.#request;
    const key = keyOf(this.#runtime, containerId);
    this.#scope.step = 'alias';
    await labelHostLink(binding, key, result, this.#portOptions());
    this.#scope.step = 'result';
    this.#refuseUnseen(result);
    const { netns } = this.#target;
    const { links } = await atStep('result', () => binding.dump({ netns, kinds: ['links'] }));
    const tap = links.find(({ name }) => name === tapNameOf(result, key));
    const facts = { ...key, vmId, backend: 'cni', netnsPath: netns } as const;
    const config = tap === undefined ? null : networkConfig(facts, result, tap.mtu);
    if (config === null) throw incompleteResult(key);
    if (mac !== null && config.mac !== mac) {
      const [first] = network.list.plugins;
      const takesNone = first?.capabilities.includes('mac') ? `${first.type} takes no MAC` : null;
      const remedy = takesNone ?? giveCapability('its first plugin', 'mac');
      throw notAsAsked(`${vmId} the MAC ${config.mac} instead of ${mac}`, remedy);
    }
    if (address !== null && config.addresses.every(({ ip }) => ip !== address)) {
      const ips = config.addresses.map(({ ip }) => ip).join(', ');
      const remedy = giveCapability('the plugin that has the "ipam"', 'ips');
      throw notAsAsked(`${vmId} ${ips} instead of ${address}`, remedy);
    }
    return config;
  }

  /** As early as the guard, and for the same reason. */
  async #joinGroup(result: Result): Promise<void> {
    const { binding, network } = this.#runtime;
    const { group } = network.firewall;
    const link = ownLink(result);
    if (group === undefined || link === null || link.name === this.#grouped) return;
    this.#scope.step = 'firewall';
    await atStep('firewall', () => binding.linkSet({ name: link.name, group }));
    this.#grouped = link.name;
  }

  /** Of a VM that has no link of its own on the host, and no bridge that is known, nothing that it sends is looked at there. */
  #refuseUnseen(result: AnyResult): void {
    const { config, network } = this.#runtime;
    if (network.firewall.group === undefined || ownLink(result) !== null) return;
    if (!config.antiSpoofing && config.hostAccess === 'all') return;
    const message = `the chain of network ${network.name} gives VMs no link of their own on the host, where firewall and anti-spoofing look at what they send: take bridge or ptp, or do without both by antiSpoofing: false and hostAccess: 'all'`;
    throw new NetworkError('ERR_OPTION_INVALID', message, { step: 'result', network: network.name });
  }

  /**
   * The bridge plugin sets the host's link up itself, so right after it is the first moment; it is early enough because no
   * guest has a way in before tc-redirect-tap makes the TAP. A later plugin may change MAC or addresses.
   */
  async #guard(result: Result): Promise<void> {
    const { binding, network } = this.#runtime;
    if (!network.guarded) return;
    const port = guardedPort(keyOf(this.#runtime, this.#request.containerId), result);
    if (port === null || isDeepStrictEqual(port, this.#guarded)) return;
    this.#scope.step = 'guard';
    await unguard(binding, this.#guarded);
    this.#guarded = port;
    await guard(binding, port);
  }

  #portOptions(): { readonly hairpin: boolean; readonly isolated: boolean } | null {
    const { generated } = this.#runtime.network;
    const { hairpin = false, isolated = false } = generated?.conflist ?? {};
    return hairpin || isolated ? { hairpin, isolated } : null;
  }

  /** Heeds no signal. What a plugin could not undo stays under the anchor, where teardown and gc find it. */
  async #undo(error: unknown): Promise<unknown> {
    const errors: Error[] = [];
    if (this.#result !== null) {
      const options = { vmId: this.#request.vmId, lock: this.#lock.handle };
      const undone = this.#runtime.chain.del(this.#target, this.#result, options);
      errors.push(...(await undone.catch((failure: Error) => [failure])));
    }
    const { binding, network } = this.#runtime;
    await releaseOwnerless(binding, network).catch((failure: Error) => errors.push(failure));
    await unguard(binding, this.#guarded).catch((failure: Error) => errors.push(failure));
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

function giveCapability(plugin: string, capability: 'mac' | 'ips'): string {
  return `give ${plugin} "capabilities": { "${capability}": true }`;
}

function notAsAsked(gave: string, remedy: string): NetworkError {
  return new NetworkError('ERR_OPTION_INVALID', `the chain gave ${gave}: ${remedy}`, { step: 'result' });
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
