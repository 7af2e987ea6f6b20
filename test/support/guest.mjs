import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { guestImage } from './tools.mjs';

/** What the image's init prints once it takes commands. */
export const readyMarker = '<<guest ready>>';
const exitMarker = /<<guest exit (\d+)>>/;

/** @typedef {import('../../lib/types.ts').NetworkConfig} NetworkConfig */

/** IPv6 has no kernel parameter: the image's init reads its own. @param {NetworkConfig} net */
function ipv6Parameter(net) {
  const address = net.addresses.find(({ family }) => family === 6);
  return address ? [`guest.ip6=${address.ip}/${address.prefixLength},${address.gateway ?? ''}`] : [];
}

/** But for where the console goes. @param {NetworkConfig} net @param {string | null} ipParameter */
export function qemuArguments(net, ipParameter) {
  const kernelArguments = [
    'console=ttyS0 quiet panic=-1',
    // An emulated processor has no need of these, and takes long over them.
    'mitigations=off nokaslr no_timer_check tsc=reliable',
    ...(ipParameter === null ? [] : [ipParameter]),
    ...ipv6Parameter(net),
    `guest.mtu=${net.mtu}`,
  ];
  return [
    ['-accel', 'tcg'],
    ['-cpu', 'max'],
    ['-m', '128'],
    ['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ['-kernel', guestImage.kernel, '-initrd', guestImage.initramfs, '-append', kernelArguments.join(' ')],
    ['-netdev', `tap,id=net0,ifname=${net.tapName},script=no,downscript=no,vhost=off`],
    ['-device', `virtio-net-pci,netdev=net0,mac=${net.mac},romfile=`],
  ].flat();
}

/** A real guest on the TAP. Its console answers commands; what it said is the evidence. */
export class Guest {
  #process;
  #console = '';
  /** Where in the console the answer to the next command begins. */
  #read = 0;

  /** @param {import('node:child_process').ChildProcessWithoutNullStreams} process */
  constructor(process) {
    this.#process = process;
    for (const stream of [process.stdout, process.stderr]) {
      stream.setEncoding('utf8').on('data', (/** @type {string} */ text) => {
        this.#console += text;
      });
    }
    process.stdin.on('error', () => {});
  }

  /** All that the console has shown. */
  get console() {
    return this.#console;
  }

  get pid() {
    return this.#process.pid;
  }

  get running() {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  /** @param {string | RegExp} marker @param {number} timeoutMs */
  async #answerUntil(marker, timeoutMs) {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const unread = this.#console.slice(this.#read);
      const match = unread.match(marker);
      if (match) {
        this.#read += (match.index ?? 0) + match[0].length;
        return { text: unread.slice(0, match.index).trim(), match };
      }
      if (!this.running) throw new Error(`the guest ended:\n${this.#console}`);
      if (performance.now() > deadline) {
        throw new Error(`no answer from the guest in ${timeoutMs} ms:\n${this.#console}`);
      }
      await sleep(10);
    }
  }

  /** @param {number} timeoutMs */
  async ready(timeoutMs) {
    await this.#answerUntil(readyMarker, timeoutMs);
    return this;
  }

  /** One command line in the guest's shell; its output and its exit code. @param {string} line */
  async run(line, timeoutMs = 60_000) {
    this.#process.stdin.write(`${line}\n`);
    const { text, match } = await this.#answerUntil(exitMarker, timeoutMs);
    return { exitCode: Number(match[1]), output: text };
  }

  /** Pulls the plug. */
  async kill() {
    if (!this.running) return;
    this.#process.kill('SIGKILL');
    await once(this.#process, 'exit');
  }

  async [Symbol.asyncDispose]() {
    await this.kill();
  }
}

/**
 * Boots a guest by QEMU, inside the VM's namespace and on its TAP, and waits until it takes commands.
 *
 * @param {NetworkConfig} net
 * @param {{ ipParameter: string | null, timeoutMs?: number }} options `ipParameter`: the kernel's `ip=...`
 */
export function bootGuest(net, { ipParameter, timeoutMs = 280_000 }) {
  const args = [
    `--net=${net.netnsPath}`,
    '--',
    'qemu-system-x86_64',
    ...qemuArguments(net, ipParameter),
    '-serial',
    'stdio',
  ];
  return new Guest(spawn('nsenter', args, { stdio: 'pipe' })).ready(timeoutMs);
}
