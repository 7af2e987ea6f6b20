import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { NetworkManager } from 'vulcan-net';
import { Vmm } from './vmm.mjs';

/** How often guests that ended by themselves are looked for. */
const sweepMs = 1_000;
const nanosecondsPerMs = 1e6;

/** @typedef {import('vulcan-net').NetworkConfig} NetworkConfig */

/**
 * A guest that runs. `origin`: whether its network was ready before it was asked for; `adopted` when an earlier launcher
 * asked. Durations in milliseconds.
 *
 * @typedef {object} Machine
 * @property {NetworkConfig} net
 * @property {Vmm} vmm
 * @property {'warm' | 'cold' | 'adopted'} origin
 * @property {number | null} networkMs
 */

export class Machines {
  #manager;
  #directory;
  /** @type {Map<string, Machine>} */
  #machines = new Map();
  #eventLoop = monitorEventLoopDelay({ resolution: 1 });
  #sweeper = setInterval(() => this.#sweep().catch(console.error), sweepMs);

  constructor(manager, directory) {
    this.#manager = manager;
    this.#directory = directory;
    this.#eventLoop.enable();
  }

  /** Takes over the guests that run. A network whose guest has ended is torn down. */
  static async open(directory) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const manager = await NetworkManager.open({ shutdown: 'leave', pool: { min: 4, max: 32 } });
    const machines = new Machines(manager, directory);
    for (const { config } of await manager.list()) {
      if (config === null) continue;
      const vmm = new Vmm(directory, config);
      if (await vmm.pid()) {
        machines.#machines.set(config.vmId, { net: config, vmm, origin: 'adopted', networkMs: null });
      }
    }
    await manager.gc({ keep: [...machines.#machines.keys()] });
    return machines;
  }

  async start() {
    const vmId = `guest-${randomUUID().slice(0, 8)}`;
    const began = performance.now();
    const net = await this.#manager.setup(vmId);
    const networkMs = performance.now() - began;
    try {
      const vmm = new Vmm(this.#directory, net);
      await vmm.start();
      const machine = { net, vmm, origin: net.origin, networkMs };
      this.#machines.set(vmId, machine);
      return await this.#describe(machine);
    } catch (error) {
      await this.#manager.teardown(vmId);
      throw error;
    }
  }

  /** `false`: there is none of that name. */
  async stop(vmId) {
    const machine = this.#machines.get(vmId);
    if (machine === undefined) return false;
    this.#machines.delete(vmId);
    await machine.vmm.end();
    await this.#manager.teardown(vmId);
    return true;
  }

  async stats() {
    return {
      machines: await Promise.all([...this.#machines.values()].map((machine) => this.#describe(machine))),
      network: this.#manager.stats(),
      eventLoopDelayP99Ms: this.#eventLoop.percentile(99) / nanosecondsPerMs,
      residentBytes: process.memoryUsage.rss(),
    };
  }

  /** The guests go on. */
  async close() {
    clearInterval(this.#sweeper);
    await this.#manager.close();
  }

  async #describe({ net, vmm, origin, networkMs }) {
    const { vmId, guestIp, mac, netnsPath } = net;
    return { vmId, guestIp, mac, netnsPath, origin, networkMs, pid: await vmm.pid(), up: await vmm.isUp() };
  }

  async #sweep() {
    for (const [vmId, { vmm }] of this.#machines) {
      if ((await vmm.pid()) === null) await this.stop(vmId);
    }
  }
}
