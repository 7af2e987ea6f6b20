import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, truncate } from 'node:fs/promises';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import { hostLinks } from '../contract/oracles.ts';
import { reboot, until } from '../support/lab.ts';
import { ip, nft, outcomeOf } from '../support/run.ts';
import { Far, Near } from './managers.ts';

/** One that a teardown has left goes by itself, perhaps just now. */
async function deleteIfThere(link: string): Promise<void> {
  const { exitCode, stderr } = await outcomeOf('ip', ['link', 'delete', link]);
  if (exitCode !== 0 && !stderr.includes('Cannot find device')) throw new Error(stderr);
}

/** The machine: two managers of one network, processes in namespaces, and whoever interferes. */
export class Host {
  readonly near: Near;
  readonly far: Far;
  readonly #stateDir: string;
  readonly #inhabitants = new Map<string, ChildProcess>();

  constructor(options: NetworkManagerOptions, stateDir: string) {
    this.near = new Near(options);
    this.far = new Far(options);
    this.#stateDir = stateDir;
  }

  deleteRecord = (vmId: string) => rm(this.recordOf(vmId));
  truncateRecord = (vmId: string) => truncate(this.recordOf(vmId), 100);
  removeAddress = (address: string) => rm(this.addressOf(address));
  flush = () => nft('flush', 'ruleset');
  unname = (vmId: string) => ip('netns', 'delete', `vulcan-${vmId}`);

  async deleteLink(vmId: string): Promise<void> {
    for (const name of await linksOf(vmId)) await deleteIfThere(name);
    await this.untilUnlinked(vmId);
  }

  async untilUnlinked(vmId: string): Promise<void> {
    await until(`the links of ${vmId} to go`, async () => (await linksOf(vmId)).length === 0);
  }

  /** A process that lives in the VM's namespace. */
  async inhabit(vmId: string): Promise<void> {
    const command = ['sh', '-c', 'echo in; exec sleep 1000'];
    const child = spawn('nsenter', [`--net=/run/netns/vulcan-${vmId}`, '--', ...command], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.#inhabitants.set(vmId, child);
    await once(child.stdout, 'data');
  }

  async leave(vmId: string): Promise<void> {
    const child = this.#inhabitants.get(vmId);
    if (child === undefined) return;
    this.#inhabitants.delete(vmId);
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  get inhabited(): readonly string[] {
    return [...this.#inhabitants.keys()];
  }

  /** All that is not on a disk is gone. */
  async reboot(): Promise<void> {
    await this.end();
    await reboot();
  }

  async end(): Promise<void> {
    await this.near.end();
    await this.far.end();
    for (const vmId of this.inhabited) await this.leave(vmId);
  }

  recordOf(vmId: string): string {
    return `${this.#stateDir}/results/fcnet-${vmId}-eth0`;
  }

  addressOf(ip: string): string {
    return `/run/cni/networks/fcnet/${ip}`;
  }

  lockOf(vmId: string): string {
    return `${this.#stateDir}/locks/${vmId}`;
  }
}

async function linksOf(vmId: string): Promise<readonly string[]> {
  const links = await hostLinks();
  return links
    .filter(({ ifalias }) => ifalias === `vulcan-net fcnet ${vmId} eth0`)
    .map(({ ifname }) => ifname);
}
