import type { Stop } from '../../async/stop.ts';
import { type AbortError, NetworkError } from '../../errors.ts';
import type { LinkLabel } from '../../native/slots.ts';
import { debug, defaultLogger, type PoolChange, type PoolFailedEvent, poolChanged } from '../../observe.ts';
import type { PoolConfig } from '../../settings.ts';
import type { Logger, PoolState } from '../../types.ts';
import { keyOf } from '../attachment/records.ts';
import type { AttachRequest } from '../attachment/request.ts';
import { aliasOf } from '../host/host-link.ts';
import type { NativeRuntime } from '../native/runtime.ts';
import { newPoolOwner, type PoolOwner } from '../network/pool-owner.ts';
import { Demand } from './demand.ts';
import { Filling } from './filling.ts';
import { Labels } from './labels.ts';
import { Recycling } from './recycling.ts';
import { fillSlot, type Slot, type SlotProfile } from './slot.ts';
import { Takers } from './takers.ts';
import { Warming } from './warming.ts';

/** As long as others may believe that an address is the old VM's. */
const restMs = 1_000;
/** How far a pool may exceed `max` for a moment. */
const mostOver = 64;
/** Of a VM that somebody else is about, the next open writes it. */
const labelPatienceMs = 1_000;

type Pinned = (hostLink: { readonly name: string }) => void;
type NamedRecord = NonNullable<LinkLabel['vm']>['record'];

const closedError = (network: string) =>
  new NetworkError('ERR_CLOSED', `the pools of network ${network} are closed`, { network });

/** Slots of one kind: those that are ready, those that have become a VM's, and those in between. */
export class Pool {
  readonly #native: NativeRuntime;
  readonly #config: PoolConfig;
  readonly #owner: PoolOwner;
  readonly #pinned: Pinned;
  readonly #logger: Logger;
  readonly #demand: Demand;
  readonly #ready: Slot[] = [];
  /** By vmId: what became of slots. */
  readonly #inUse = new Map<string, Slot>();
  readonly #filling: Filling;
  readonly #recycling: Recycling;
  readonly #takers = new Takers();
  readonly #labels: Labels;
  /** What goes on behind callers; close waits for it. */
  readonly #background = new Set<Promise<unknown>>();
  /** No slots are wanted at all. */
  #held = true;
  #closed = false;
  #leftovers = false;
  readonly #warming = new Warming();

  private constructor(native: NativeRuntime, config: PoolConfig, owner: PoolOwner, pinned: Pinned) {
    this.#native = native;
    this.#config = config;
    this.#owner = owner;
    this.#pinned = pinned;
    this.#logger = native.runtime.config.logger ?? defaultLogger;
    this.#demand = new Demand(config, () => {
      this.#trim();
      this.#filling.adjust();
    });
    this.#filling = new Filling({
      missing: () => this.#missing,
      hasReady: () => this.#ready.length > 0,
      build: (stop) => this.#build(stop),
      built: (slot) => this.#built(slot),
      failed: (error, inARow) => this.#failed(error, inARow),
    });
    this.#labels = new Labels(native.runtime.binding);
    this.#recycling = new Recycling({
      binding: native.runtime.binding,
      restMs: this.#restMs,
      isAwaited: () => this.#takers.size > 0,
      isShort: () => this.#isShort,
      ready: (slots) => this.#recycled(slots),
      spoilt: (slots) => this.#spoilt(slots),
    });
  }

  get #restMs(): number {
    return this.#config.restMs ?? (this.#native.layout.isolated ? 0 : restMs);
  }

  static async open(native: NativeRuntime, config: PoolConfig, pinned: Pinned): Promise<Pool> {
    return new Pool(native, config, await newPoolOwner(native.runtime), pinned);
  }

  get owner(): string {
    return this.#owner.name;
  }

  get profile(): SlotProfile {
    return this.#config;
  }

  get state(): PoolState {
    const { min, max, tapName, tapOwner } = this.#config;
    const building = this.#filling.isBuilding ? 1 : 0;
    return {
      ...{ tapName, tapOwner: { ...tapOwner } },
      ...{ ready: this.#ready.length, building, resting: this.#recycling.size, inUse: this.#inUse.size },
      ...{ target: this.#demand.target, min, max },
    };
  }

  /** `null`: none is ready. The caller names it, gives it back, or discards it. */
  take(): Slot | null {
    if (this.#closed) return null;
    this.#demand.count();
    const slot = this.#ready.shift() ?? null;
    if (this.#isShort) this.#recycling.hurry();
    if (slot !== null) this.#changed('taken');
    return slot;
  }

  /** Waits for a slot that is about to be ready. `null`: none is. */
  async takeSoon(stop: Stop): Promise<Slot | null> {
    if (this.#closed) return null;
    const isSoon = !this.#held && !stop.stopped && this.#takers.size < this.#soon;
    const slot = isSoon ? await this.#wait(stop) : null;
    if (slot === null) this.#filling.adjust();
    else this.#changed('taken');
    return slot;
  }

  #wait(stop: Stop): Promise<Slot | null> {
    const slot = this.#takers.wait(stop);
    this.#recycling.hurry();
    return slot;
  }

  /** A caller's work, by which a slot gets its VM. */
  beginNaming(work: Promise<unknown>): void {
    this.#filling.beginNaming(work);
  }

  endNaming(work: Promise<unknown>): void {
    this.#filling.endNaming(work);
  }

  giveBack(slot: Slot): void {
    if (this.#held || this.#closed) this.discard(slot);
    else this.#ready.unshift(slot);
    this.#tellWhoWaits();
  }

  discard(slot: Slot): void {
    this.#inBackground(this.#destroy([slot]));
  }

  /** The slot has become the request's attachment; its link says so a moment later. */
  named(slot: Slot, { vmId, containerId }: AttachRequest, record: NamedRecord): void {
    this.#inUse.set(vmId, slot);
    const { runtime } = this.#native;
    const alias = aliasOf(keyOf(runtime, containerId));
    const vm = { locks: runtime.locks.onlyPlanOf(vmId, labelPatienceMs), record };
    this.#labels.add(vmId, { name: slot.names.hostLink, alias, vm });
  }

  /** A VM goes, the pool's or another. What its link would have said, where it is certain that it does not. */
  leaving(vmId: string): LinkLabel | null {
    this.#filling.leaving();
    return this.#labels.forget(vmId);
  }

  /** A VM that was to go has not. */
  staying(vmId: string, label: LinkLabel): void {
    if (this.slotOf(vmId)?.names.hostLink === label.name) this.#labels.add(vmId, label);
  }

  /** Until what has been named says whose it is. */
  labelled(): Promise<void> {
    return this.#labels.written();
  }

  released(vmId: string): void {
    const slot = this.slotOf(vmId);
    if (slot !== null) this.#native.runtime.binding.slotForget({ slot: slot.handle });
    this.#inUse.delete(vmId);
  }

  /** That the VM was. */
  slotOf(vmId: string): Slot | null {
    return this.#inUse.get(vmId) ?? null;
  }

  /** Whether it has room for what VMs leave. */
  get wantsBack(): boolean {
    return this.#config.recycle && !this.#held && !this.#closed && this.#room > -mostOver;
  }

  /** How many more it may have, with those that rest. */
  get #room(): number {
    return this.#config.max - this.#ready.length - this.#recycling.size;
  }

  /** The VM has left it. */
  returned(vmId: string, slot: Slot): void {
    this.#inUse.delete(vmId);
    if (this.#held || this.#closed) this.#inBackground(this.#destroyHeld([slot]));
    else this.#recycling.add(slot);
    this.#demand.watch();
  }

  /** Gives up a ready or resting slot whose address is needed elsewhere. `null`: there is none. */
  takeToSpare(which: (slot: Slot) => boolean): Slot | null {
    const index = this.#ready.findLastIndex(which);
    const [slot = null] = index < 0 ? this.#recycling.take(which, 1) : this.#ready.splice(index, 1);
    return slot;
  }

  /** Its port is free with its address, which it would be only once the kernel has freed the namespace. */
  async spare(slot: Slot): Promise<void> {
    await this.#destroyHeld([slot]);
    const { names } = slot;
    const { binding } = this.#native.runtime;
    await binding.linkDelete({ name: names.hostLink }).catch((error: Error) => {
      debug('%s is left to the kernel: %s', names.hostLink, error.message);
    });
  }

  /** Nothing more is built for a moment. */
  pauseBuilding(): void {
    this.#filling.pause();
  }

  /** For a moment. Whether one was being built. */
  stopBuilding(): Promise<boolean> {
    return this.#filling.giveUp();
  }

  /** Until one of those that are being cleaned now is ready, or is destroyed. Whether there were any. */
  async settle(which: (slot: Slot) => boolean, stop: Stop): Promise<boolean> {
    const hasSettled = await this.#recycling.settleOne(which, stop);
    if (hasSettled && !stop.stopped) await Promise.all(this.#background);
    return hasSettled;
  }

  async warmUp(stop: Stop): Promise<void> {
    if (this.#closed) throw closedError(this.#native.runtime.network.name);
    if (this.#ready.length >= this.#config.min) return;
    await this.#warming.wait(stop);
  }

  /** No slots until it may go on. */
  async hold(): Promise<void> {
    this.#held = true;
    await this.#empty();
  }

  resume(): void {
    this.#held = false;
    this.#filling.adjust();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#warming.fail(closedError(this.#native.runtime.network.name));
    this.#filling.end();
    this.#demand.close();
    await this.#empty();
    // A file that could not be removed is as good as a dead pool's.
    await this.#owner.release(!this.#leftovers).catch((error: Error) => {
      const { network } = this.#native.runtime;
      this.#logger.warn({ err: error, network: network.name }, `a pool's lock was left: ${error.message}`);
    });
  }

  async #empty(): Promise<void> {
    this.#takers.dismiss();
    await this.#filling.settle();
    const resting: Slot[] = [];
    do {
      resting.push(...this.#recycling.take(() => true));
      await this.#recycling.settle();
      // Those that are to be tried again may have begun to be.
    } while (this.#recycling.size > 0);
    await Promise.all([this.#destroy(this.#ready.splice(0)), this.#destroyHeld(resting)]);
    await Promise.all([...this.#background, this.labelled()]);
  }

  /** Destroys what is too much, but not at once: who leaves a slot often comes for another. */
  #trim(): void {
    const surplus = this.#ready.length - this.#demand.target;
    if (surplus > 0) this.#inBackground(this.#destroy(this.#ready.splice(-surplus)));
  }

  /** How many are to be built. */
  get #missing(): number {
    if (this.#held || this.#closed) return 0;
    return Math.min(this.#room, this.#demand.target - this.#ready.length - this.#soon);
  }

  /** Whether set-ups will soon find none, unless some come back. */
  get #isShort(): boolean {
    return this.#ready.length < this.#demand.target / 2;
  }

  /** How many are as good as ready: those that rest, where that takes no time. */
  get #soon(): number {
    return this.#restMs === 0 ? this.#recycling.size : 0;
  }

  async #build(stop: Stop): Promise<Slot> {
    try {
      await this.#owner.renew();
      return await fillSlot(this.#native, this.#config, this.#owner.name, stop);
    } catch (error) {
      // Told here, as nobody asks what became of one that was given up.
      if ((error as Partial<NetworkError | AbortError>).rolledBack === false)
        this.#leftInPart(error as Error);
      throw error;
    }
  }

  #built(slot: Slot): void {
    this.#ready.push(slot);
    this.#changed('ready');
  }

  #failed(error: unknown, inARow: number): void {
    const { network } = this.#native.runtime;
    if (inARow === 1) {
      const message = `a slot could not be built: ${(error as NetworkError).message}`;
      this.#logger.warn({ err: error, network: network.name }, message);
    }
    this.#warming.fail(error);
    this.#changed('failed', { error });
  }

  #recycled(slots: readonly Slot[]): void {
    this.#ready.push(...this.#takers.serve(slots));
    this.#changed('recycled');
    this.#filling.adjust();
  }

  #spoilt(slots: readonly (readonly [Slot, Error])[]): void {
    for (const [{ names }, error] of slots) debug('%s is not kept: %s', names.hostLink, error.message);
    this.#inBackground(this.#destroyHeld(slots.map(([slot]) => slot)));
    this.#filling.adjust();
  }

  /** Those that were a VM's, whose process may still be in them: as long as it lives, their links do. */
  async #destroyHeld(slots: readonly Slot[]): Promise<void> {
    const { leftConnections } = this.#native.runtime;
    const ips = slots.flatMap(({ undo }) => undo.ips);
    leftConnections.add(ips);
    await this.#destroy(slots);
    leftConnections.add(ips);
    for (const { names } of slots) this.#pinned({ name: names.hostLink });
  }

  async #destroy(slots: readonly Slot[]): Promise<void> {
    if (slots.length === 0) return;
    const { binding } = this.#native.runtime;
    for (const { bridge } of slots) this.#native.bridges.left(bridge.name);
    const plan = { slots: slots.map(({ handle }) => handle) };
    // Nobody asks what became of it; and closing goes on.
    const errors = await binding.slotDestroy(plan).catch((error: Error) => [error]);
    for (const error of errors) this.#leftInPart(error);
    this.#changed('destroyed');
  }

  /** Whoever opens the network later finds the rest by the lock of this pool. */
  #leftInPart(error: Error): void {
    this.#leftovers = true;
    const { network } = this.#native.runtime;
    this.#logger.warn({ err: error, network: network.name }, `a slot was left in part: ${error.message}`);
  }

  #inBackground(work: Promise<unknown>): void {
    const ended = work.finally(() => this.#background.delete(ended));
    this.#background.add(ended);
  }

  #changed(change: PoolChange, more: Partial<PoolFailedEvent> = {}): void {
    poolChanged(change, () => ({ network: this.#native.runtime.network.name, ...this.state, ...more }));
    this.#tellWhoWaits();
  }

  #tellWhoWaits(): void {
    if (this.#ready.length >= this.#config.min) this.#warming.done();
  }
}
