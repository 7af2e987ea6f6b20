import { AbortError, type NetworkError } from '../errors.ts';
import type { LinkLabel } from '../native/slots.ts';
import { debug, defaultLogger, type PoolChange, poolChanged } from '../observe.ts';
import type { PoolConfig } from '../settings.ts';
import { type Stop, Stopper } from '../stop.ts';
import type { Logger, PoolState } from '../types.ts';
import type { AttachRequest } from './backend.ts';
import { aliasOf } from './host-link.ts';
import type { NativeRuntime } from './native-runtime.ts';
import { Demand } from './pool-demand.ts';
import { Labels } from './pool-labels.ts';
import { newPoolOwner, type PoolOwner } from './pool-owner.ts';
import { Recycling } from './pool-recycling.ts';
import { Takers } from './pool-takers.ts';
import { keyOf } from './records.ts';
import { fillSlot, type Slot, type SlotProfile } from './slot.ts';

/** After a fill that failed; doubled by each that follows. */
const firstPauseMs = 100;
const longestPauseMs = 5_000;
/** As long as others may believe that an address is the old VM's. */
const restMs = 1_000;
/** So many more than its most a pool may have, until it is looked at again. */
const mostOver = 64;
/** Of a VM that somebody else is about, the next open writes it. */
const labelPatienceMs = 1_000;

type NamedRecord = NonNullable<LinkLabel['vm']>['record'];

interface Waiter {
  resolve(): void;
  reject(error: unknown): void;
}

/** Slots of one kind. They are built one at a time, behind whatever else the control thread has to do. */
export class Pool {
  readonly #native: NativeRuntime;
  readonly #config: PoolConfig;
  readonly #owner: PoolOwner;
  readonly #logger: Logger;
  readonly #demand: Demand;
  readonly #ready: Slot[] = [];
  /** By vmId: what became of slots. */
  readonly #inUse = new Map<string, Slot>();
  readonly #recycling: Recycling;
  readonly #takers = new Takers();
  readonly #labels: Labels;
  /** What goes on behind callers; close waits for it. */
  readonly #background = new Set<Promise<unknown>>();
  readonly #stop = new Stopper();
  #filling: Promise<void> | null = null;
  #fillStop = new Stopper();
  /** No slots are wanted at all. */
  #held = false;
  #pauseTimer: NodeJS.Timeout | null = null;
  #failures = 0;
  #leftovers = false;
  #waiters: Waiter[] = [];

  private constructor(native: NativeRuntime, config: PoolConfig, owner: PoolOwner) {
    this.#native = native;
    this.#config = config;
    this.#owner = owner;
    this.#logger = native.runtime.config.logger ?? defaultLogger;
    this.#demand = new Demand(config, () => {
      this.#trim();
      this.#adjust();
    });
    this.#labels = new Labels(native.runtime.binding);
    this.#recycling = new Recycling({
      binding: native.runtime.binding,
      restMs: this.#restMs,
      isAwaited: () => this.#takers.size > 0,
      ready: (slots) => this.#recycled(slots),
      spoilt: (slots) => this.#spoilt(slots),
    });
  }

  get #restMs(): number {
    return this.#config.restMs ?? (this.#native.layout.isolated ? 0 : restMs);
  }

  static async open(native: NativeRuntime, config: PoolConfig): Promise<Pool> {
    const pool = new Pool(native, config, await newPoolOwner(native.runtime));
    pool.#adjust();
    return pool;
  }

  get owner(): string {
    return this.#owner.name;
  }

  get profile(): SlotProfile {
    return this.#config;
  }

  get state(): PoolState {
    const { min, max, tapName, tapOwner } = this.#config;
    const building = this.#filling === null ? 0 : 1;
    return {
      ...{ tapName, tapOwner: { ...tapOwner } },
      ...{ ready: this.#ready.length, building, resting: this.#recycling.size, inUse: this.#inUse.size },
      ...{ target: this.#demand.target, min, max },
    };
  }

  /** `null`: none is ready, nor will one be in a moment. The caller names it, gives it back, or discards it. */
  async take(stop: Stop): Promise<Slot | null> {
    if (this.#stop.stopped) return null;
    this.#demand.count();
    const slot = this.#ready.shift() ?? (await this.#takeSoon(stop));
    if (slot !== null) this.#changed('taken');
    this.#adjust();
    return slot;
  }

  async #takeSoon(stop: Stop): Promise<Slot | null> {
    const isSoon = !this.#held && !stop.stopped && this.#takers.size < this.#soon;
    return isSoon ? this.#takers.wait(stop) : null;
  }

  giveBack(slot: Slot): void {
    if (this.#stop.stopped) this.discard(slot);
    else this.#ready.unshift(slot);
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
    this.#labels.add(vmId, { name: slot.link.hostLink, alias, vm });
  }

  unlabel(vmId: string): void {
    this.#labels.forget(vmId);
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
    return this.#config.recycle && !this.#held && !this.#stop.stopped && this.#room > -mostOver;
  }

  /** How many more it may have, with those that rest. */
  get #room(): number {
    return this.#config.max - this.#ready.length - this.#recycling.size;
  }

  /** The VM has left it. */
  returned(vmId: string, slot: Slot): void {
    this.#inUse.delete(vmId);
    if (this.#held || this.#stop.stopped) this.discard(slot);
    else this.#recycling.add(slot);
    this.#demand.watch();
  }

  /** Whether there was a slot to destroy, or one that is given up half built. `address`: of a slot that has it. */
  async spare(address: string | null): Promise<boolean> {
    const has = ({ addresses }: Slot) => address === null || addresses.some(({ ip }) => ip === address);
    let slot = this.#takeOne(has) ?? (await this.#takeSettled(has));
    const hasGivenUp = slot === null && (await this.#giveUpFill());
    // What was given up too late is ready.
    slot ??= this.#takeOne(has);
    if (slot === null) return hasGivenUp;
    this.#pause();
    await this.#destroy([slot]);
    return true;
  }

  /** Whether there was one: its address may be the one that is wanted. */
  async #giveUpFill(): Promise<boolean> {
    if (this.#filling === null) return false;
    this.#pause();
    this.#fillStop.stop(null);
    await this.#filling;
    return true;
  }

  #takeOne(which: (slot: Slot) => boolean): Slot | null {
    const index = this.#ready.findLastIndex(which);
    const [slot = null] = index < 0 ? this.#recycling.take(which, 1) : this.#ready.splice(index, 1);
    return slot;
  }

  /** Of those that are being cleaned. */
  async #takeSettled(which: (slot: Slot) => boolean): Promise<Slot | null> {
    if (this.#recycling.size === 0) return null;
    await this.#recycling.settle();
    await Promise.all(this.#background);
    return this.#takeOne(which);
  }

  warmUp(stop: Stop): Promise<void> {
    if (this.#ready.length >= this.#config.min) return Promise.resolve();
    let waiter: Waiter | null = null;
    const warm = new Promise<void>((resolve, reject) => {
      waiter = { resolve, reject };
      this.#waiters.push(waiter);
      stop.onStop(() => reject(new AbortError(true, { cause: stop.reason })));
    });
    return warm.finally(() => {
      this.#waiters = this.#waiters.filter((each) => each !== waiter);
    });
  }

  /** No slots until it may go on. */
  async hold(): Promise<void> {
    this.#held = true;
    await this.#empty();
  }

  resume(): void {
    this.#held = false;
    this.#adjust();
  }

  async close(): Promise<void> {
    if (this.#stop.stopped) return;
    this.#stop.stop(null);
    this.#demand.close();
    if (this.#pauseTimer !== null) clearTimeout(this.#pauseTimer);
    await this.#empty();
    // A file that could not be removed is as good as a dead pool's.
    await this.#owner.release(!this.#leftovers).catch((error: Error) => {
      const { network } = this.#native.runtime;
      this.#logger.warn({ err: error, network: network.name }, `a pool's lock was left: ${error.message}`);
    });
  }

  async #empty(): Promise<void> {
    this.#takers.dismiss();
    await this.#filling;
    const resting = this.#recycling.take(() => true);
    await this.#recycling.settle();
    // Those that were about to be tried again.
    await this.#destroy([...this.#ready.splice(0), ...resting, ...this.#recycling.take(() => true)]);
    await Promise.all([...this.#background, this.labelled()]);
  }

  get #mayBuild(): boolean {
    return !this.#held && this.#pauseTimer === null && !this.#stop.stopped;
  }

  /** Destroys what is too much, but not at once: who leaves a slot often comes for another. */
  #trim(): void {
    const surplus = this.#ready.length - this.#demand.target;
    if (surplus > 0) this.#inBackground(this.#destroy(this.#ready.splice(-surplus)));
  }

  /** Builds what is missing. */
  #adjust(): void {
    if (!this.#mayBuild || this.#missing <= 0 || this.#filling !== null) return;
    this.#filling = this.#fill().finally(() => {
      this.#filling = null;
    });
  }

  /** How many are to be built. */
  get #missing(): number {
    return Math.min(this.#room, this.#demand.target - this.#ready.length - this.#soon);
  }

  /** How many are as good as ready: those that rest, where that takes no time. */
  get #soon(): number {
    return this.#restMs === 0 ? this.#recycling.size : 0;
  }

  async #fill(): Promise<void> {
    const stop = new Stopper();
    const forget = this.#stop.onStop(() => stop.stop(null));
    this.#fillStop = stop;
    while (this.#mayBuild && this.#missing > 0) {
      try {
        const slot = await fillSlot(this.#native, this.#config, this.#owner.name, stop);
        this.#failures = 0;
        this.#ready.push(slot);
        this.#changed('ready');
      } catch (error) {
        if (!stop.stopped) this.#failed(error);
        break;
      }
    }
    forget();
  }

  #failed(error: unknown): void {
    const { network } = this.#native.runtime;
    if (this.#failures === 0) {
      const message = `a slot could not be built: ${(error as NetworkError).message}`;
      this.#logger.warn({ err: error, network: network.name }, message);
    }
    this.#failures += 1;
    for (const waiter of this.#waiters) waiter.reject(error);
    this.#changed('failed');
    this.#pause();
  }

  #pause(): void {
    if (this.#pauseTimer !== null) clearTimeout(this.#pauseTimer);
    const pauseMs = Math.min(longestPauseMs, firstPauseMs * 2 ** this.#failures);
    const resume = () => {
      this.#pauseTimer = null;
      this.#adjust();
    };
    this.#pauseTimer = setTimeout(resume, pauseMs).unref();
  }

  #recycled(slots: readonly Slot[]): void {
    this.#ready.push(...this.#takers.serve(slots));
    this.#changed('recycled');
    this.#adjust();
  }

  #spoilt(slots: readonly (readonly [Slot, Error])[]): void {
    for (const [{ link }, error] of slots) debug('%s is not kept: %s', link.hostLink, error.message);
    this.#inBackground(this.#destroy(slots.map(([slot]) => slot)));
    this.#adjust();
  }

  async #destroy(slots: readonly Slot[]): Promise<void> {
    if (slots.length === 0) return;
    const { binding, network } = this.#native.runtime;
    for (const { bridge } of slots) this.#native.bridges.left(bridge.name);
    for (const error of await binding.slotDestroy({ slots: slots.map(({ handle }) => handle) })) {
      this.#leftovers = true;
      this.#logger.warn({ err: error, network: network.name }, `a slot was left in part: ${error.message}`);
    }
    this.#changed('destroyed');
  }

  #inBackground(work: Promise<unknown>): void {
    const ended = work.finally(() => this.#background.delete(ended));
    this.#background.add(ended);
  }

  #changed(change: PoolChange): void {
    poolChanged(change, () => ({ network: this.#native.runtime.network.name, ...this.state }));
    const ready = this.#ready.length;
    if (ready < this.#config.min) return;
    for (const waiter of this.#waiters) waiter.resolve();
  }
}
