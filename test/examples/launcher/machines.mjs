import { randomUUID } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import process from 'node:process';
import { setInterval } from 'node:timers/promises';
import { NetworkManager } from 'vulcan-net';
import { answers, endProcessesIn, processesIn, startVmm } from './vmm.mjs';

/** All of it is the launcher's own: what is found on it, and has no guest, is removed. */
const network = { network: 'launcher', bridge: 'launcher0', subnet: '10.172.0.0/24' };
const mostGuests = 16;

/** How often guests are looked at: whether they are up, or have ended by themselves. */
const lookMs = 500;
const nanosecondsPerMs = 1e6;

/** @typedef {import('vulcan-net').NetworkConfig} NetworkConfig */

/**
 * A guest. `origin`: whether its network was ready before it was asked for; `adopted` when an earlier launcher asked.
 * `started`: settles when its VMM has started, or has failed to. `stopping`: while it is under way.
 *
 * @typedef {object} Machine
 * @property {NetworkConfig} net
 * @property {'warm' | 'cold' | 'adopted'} origin
 * @property {number | null} networkMs
 * @property {Promise<void>} started
 * @property {number | null} pid
 * @property {boolean} up
 * @property {Promise<void> | null} stopping
 */

export class Machines {
  #manager;
  #image;
  /** @type {Map<string, Machine>} */
  #machines = new Map();
  /** Set-ups under way, which count as guests. */
  #settingUp = 0;
  #eventLoop = monitorEventLoopDelay({ resolution: 1 });
  #end = new AbortController();
  #looking;

  /** @param {import('./vmm.mjs').Image} image */
  constructor(manager, image) {
    this.#manager = manager;
    this.#image = image;
    this.#eventLoop.enable();
  }

  /** Takes over the guests that run. A network whose guest has ended is torn down. */
  static async open(image) {
    const pool = { min: 4, max: mostGuests };
    const manager = await NetworkManager.open({ ...network, shutdown: 'leave', pool });
    const machines = new Machines(manager, image);
    await manager.repair(); // a guest whose namespace has lost its name gets it back
    const configs = (await manager.list()).flatMap(({ config }) => config ?? []);
    const processes = await processesIn(configs.map(({ netnsPath }) => netnsPath));
    for (const net of configs) {
      if (processes.get(net.netnsPath)?.length !== 0) machines.#add(net, 'adopted', null, Promise.resolve());
    }
    const { failed } = await manager.gc({ keep: [...machines.#machines.keys()] });
    for (const { error } of failed) console.error(error);
    machines.#looking = machines.#lookAgainAndAgain();
    return machines;
  }

  async start() {
    if (this.#machines.size + this.#settingUp >= mostGuests) {
      throw Object.assign(new Error(`${mostGuests} guests are enough: stop one`), {
        code: 'TOO_MANY_GUESTS',
      });
    }
    const vmId = `guest-${randomUUID().slice(0, 8)}`;
    const began = performance.now();
    this.#settingUp++;
    const net = await this.#manager.setup(vmId).finally(() => this.#settingUp--);
    const networkMs = performance.now() - began;
    const machine = this.#add(net, net.origin, networkMs, startVmm(net, this.#image));
    try {
      await machine.started;
    } catch (error) {
      await this.stop(vmId).catch(console.error); // it is tried again
      throw error;
    }
    return this.#describe(machine);
  }

  /** `false`: there is none of that name. */
  async stop(vmId) {
    const machine = this.#machines.get(vmId);
    if (machine === undefined) return false;
    machine.stopping ??= this.#remove(machine).finally(() => {
      machine.stopping = null;
    });
    await machine.stopping;
    return true;
  }

  stats() {
    return {
      machines: [...this.#machines.values()].map((machine) => this.#describe(machine)),
      network: this.#manager.stats(),
      eventLoopDelayP99Ms: this.#eventLoop.percentile(99) / nanosecondsPerMs,
      residentBytes: process.memoryUsage.rss(),
    };
  }

  /** The guests go on. */
  async close() {
    this.#end.abort();
    await this.#looking;
    await this.#manager.close();
  }

  #add(net, origin, networkMs, started) {
    const machine = { net, origin, networkMs, started, pid: null, up: false, stopping: null };
    this.#machines.set(net.vmId, machine);
    return machine;
  }

  /** Known until nothing of it is left: who is told that it failed may ask again. */
  async #remove({ net, started }) {
    await started.catch(() => {});
    await endProcessesIn(net.netnsPath);
    await this.#manager.teardown(net.vmId);
    this.#machines.delete(net.vmId);
  }

  #describe({ net, origin, networkMs, pid, up }) {
    const { vmId, guestIp, mac, netnsPath } = net;
    return { vmId, guestIp, mac, netnsPath, origin, networkMs, pid, up };
  }

  async #lookAgainAndAgain() {
    const { signal } = this.#end;
    try {
      for await (const _ of setInterval(lookMs, null, { signal })) await this.#look().catch(console.error);
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #look() {
    const machines = [...this.#machines.values()];
    await Promise.allSettled(machines.map(({ started }) => started));
    const processes = await processesIn(machines.map(({ net }) => net.netnsPath));
    await Promise.all(
      machines.map(async (machine) => {
        const { vmId, netnsPath, guestIp } = machine.net;
        machine.pid = processes.get(netnsPath)?.[0] ?? null;
        if (machine.pid === null) await this.stop(vmId);
        else machine.up ||= await answers(guestIp);
      }),
    );
  }
}
