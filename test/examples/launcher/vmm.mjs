import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { kernelIpArgument } from 'vulcan-net';
import { qemuArguments, readyMarker } from '../../support/guest.mjs';

const execFileAsync = promisify(execFile);

/** QEMU in the VM's namespace, a daemon: it does not end with whoever started it. */
export class Vmm {
  #net;
  #directory;

  /** @param {string} directory @param {import('vulcan-net').NetworkConfig} net */
  constructor(directory, net) {
    this.#net = net;
    this.#directory = join(directory, net.vmId);
  }

  get #pidFile() {
    return join(this.#directory, 'pid');
  }

  get #console() {
    return join(this.#directory, 'console');
  }

  async start() {
    const { netnsPath } = this.#net;
    await mkdir(this.#directory, { recursive: true });
    const daemon = ['-daemonize', '-pidfile', this.#pidFile, '-serial', `file:${this.#console}`];
    const args = [...qemuArguments(this.#net, kernelIpArgument(this.#net)), ...daemon];
    await execFileAsync('nsenter', [`--net=${netnsPath}`, '--', 'qemu-system-x86_64', ...args]);
  }

  /** `null`: it has ended. A number alone proves nothing, another process may have it: the guest's is in its namespace. */
  async pid() {
    const text = await readFile(this.#pidFile, 'utf8').catch(() => '');
    const pid = Number.parseInt(text, 10);
    if (Number.isNaN(pid)) return null;
    const identity = async (path) => (await stat(path).catch(() => null))?.ino ?? null;
    const netns = await identity(this.#net.netnsPath);
    return netns !== null && (await identity(`/proc/${pid}/ns/net`)) === netns ? pid : null;
  }

  /** Whether the guest has said on its console that it is ready. */
  async isUp() {
    return (await readFile(this.#console, 'utf8').catch(() => '')).includes(readyMarker);
  }

  async end() {
    for (let pid = await this.pid(); pid !== null; pid = await this.pid()) {
      process.kill(pid, 'SIGKILL');
      await sleep(10);
    }
    await rm(this.#directory, { recursive: true, force: true });
  }
}
