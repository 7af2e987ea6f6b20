import { maxPorts } from '../../bridges.ts';
import type { BridgePlan } from '../../native/engine.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { Scope } from '../../operation.ts';
import type { Bridge } from './network.ts';
import { ensureBridge, remakeBridges } from './own-bridges.ts';
import type { Runtime } from './runtime.ts';

/** Of several bridges, the one that a new link becomes a port of: the one with the fewest, as far as is known here. */
export class BridgeChoice {
  readonly #runtime: Runtime;
  readonly #portsPerBridge: number;
  /** By name. Of other processes' ports the kernel knows; it is asked at first, and where no bridge has room. */
  readonly #ports = new Map<string, number>();
  /** Ports that the kernel may not know yet. */
  readonly #underWay = new Map<string, number>();
  #growing: Promise<void> | null = null;

  constructor(runtime: Runtime) {
    const { source } = runtime.config;
    this.#runtime = runtime;
    this.#portsPerBridge = source.kind === 'generated' ? source.portsPerBridge : maxPorts;
  }

  /** `work` makes a port of the bridge, or rejects. */
  async withPort<T>(work: (bridge: Bridge) => Promise<T>): Promise<T> {
    const bridge = this.#take() ?? (await this.#takeGrown());
    const { name } = bridge;
    try {
      return await work(bridge);
    } catch (error) {
      this.left(name);
      throw error;
    } finally {
      this.#add(this.#underWay, name, -1);
    }
  }

  #add(counts: Map<string, number>, name: string, change: number): void {
    counts.set(name, Math.max(0, (counts.get(name) ?? 0) + change));
  }

  /** `null`: another bridge is needed first. */
  #take(): Bridge | null {
    const bridge = this.#withRoom();
    if (bridge === null) return null;
    this.#add(this.#ports, bridge.name, 1);
    this.#add(this.#underWay, bridge.name, 1);
    return bridge;
  }

  async #takeGrown(): Promise<Bridge> {
    for (;;) {
      this.#growing ??= this.#grow().finally(() => {
        this.#growing = null;
      });
      await this.#growing;
      const bridge = this.#take();
      if (bridge !== null) return bridge;
    }
  }

  /** A port was removed, or was never added. */
  left(name: string | null): void {
    if (name !== null && this.#ports.has(name)) this.#add(this.#ports, name, -1);
  }

  /** Whether there is another bridge for a link that one was too full for. */
  async hasRoomElsewhere(): Promise<boolean> {
    if (!this.#isSeveral) return false;
    await this.#count();
    return (
      this.#ready.length < this.#plans.length || this.#ready.some((each) => this.#portsOf(each) < maxPorts)
    );
  }

  /** For a port that found no bridge. Rejects where none is made again. */
  async makeAgain(scope: Scope, cause: unknown): Promise<void> {
    await remakeBridges(this.#runtime, scope, cause);
    if (this.#isSeveral) await this.#count();
  }

  /** A prefix of the plans. */
  get #ready(): readonly Bridge[] {
    return this.#runtime.bridges;
  }

  get #plans(): readonly BridgePlan[] {
    return this.#runtime.network.bridges;
  }

  get #isSeveral(): boolean {
    return this.#plans.length > 1;
  }

  #portsOf({ name }: Bridge): number {
    return this.#ports.get(name) ?? 0;
  }

  /** `null`: another bridge is needed first. Where no more can be had, those that are there are filled on. */
  #withRoom(): Bridge | null {
    const [first] = this.#ready;
    if (first === undefined || (this.#isSeveral && this.#ports.size === 0)) return null;
    let best = first;
    for (const each of this.#ready) if (this.#portsOf(each) < this.#portsOf(best)) best = each;
    const isAll = this.#ready.length >= this.#plans.length;
    return isAll || this.#portsOf(best) < this.#portsPerBridge ? best : null;
  }

  async #grow(): Promise<void> {
    await this.#count();
    const plan = this.#plans[this.#ready.length];
    if (plan === undefined || this.#withRoom() !== null) return;
    const bridge = await ensureBridge(this.#runtime, plan);
    this.#runtime.bridges = [...this.#ready, bridge];
  }

  async #count(): Promise<void> {
    const { links } = await atStep('bridge', () => this.#runtime.binding.dump({ kinds: ['links'] }));
    const indexes = new Map(links.map(({ index, kind, name }) => [name, kind === 'bridge' ? index : -1]));
    for (const { name } of this.#ready) {
      const index = indexes.get(name) ?? -1;
      const present = links.filter(({ master }) => master === index).length;
      this.#ports.set(name, present + (this.#underWay.get(name) ?? 0));
    }
  }
}
