import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import process from 'node:process';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { kernelIpArgument } from 'vulcan-net';

/** Nobody's accounts: each VMM is a user of its own, that has nothing on this host. */
const firstUserId = 2_000_000_000;

/** Where nobody listens: what refuses the connection is the guest's kernel. */
const discardPort = 9;
const answerMs = 500;

const startMs = 20_000;

/** @typedef {import('vulcan-net').NetworkConfig} NetworkConfig */
/** @typedef {{ readonly kernel: string, readonly initramfs: string }} Image */

/** @param {NetworkConfig} net @param {Image} image */
function qemuArguments(net, { kernel, initramfs }) {
  const userId = firstUserId + Number(net.guestIp.split('.').at(-1));
  return [
    ['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none'],
    ['-accel', 'tcg', '-cpu', 'max', '-m', '128'], // kvm, where the host has it, is quicker
    ['-kernel', kernel, '-initrd', initramfs],
    ['-append', `console=ttyS0 quiet panic=-1 ${kernelIpArgument(net)} guest.mtu=${net.mtu}`],
    ['-serial', 'null'], // a file would grow as long as the guest talks
    ['-netdev', `tap,id=net0,ifname=${net.tapName},script=no,downscript=no`],
    ['-device', `virtio-net-pci,netdev=net0,mac=${net.mac},romfile=`],
    ['-runas', `${userId}:${userId}`], // once it has opened the TAP and the image
    ['-sandbox', 'on,resourcecontrol=deny'],
    ['-daemonize'], // it does not end with whoever started it
  ].flat();
}

/** Starts QEMU in the VM's namespace. @param {NetworkConfig} net @param {Image} image */
export async function startVmm(net, image) {
  const unprivileged = [
    'setpriv',
    '--no-new-privs',
    '--',
    'qemu-system-x86_64',
    ...qemuArguments(net, image),
  ];
  const child = spawn('nsenter', [`--net=${net.netnsPath}`, '--', ...unprivileged], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: startMs,
  });
  const [output, [exitCode]] = await Promise.all([text(child.stderr), once(child, 'close')]);
  if (exitCode !== 0) throw new Error(`QEMU does not start: ${output.trim()}`);
}

const identityOf = async (path) => (await stat(path).catch(() => null))?.ino ?? null;

/** The processes in each of the namespaces: no file has to tell, so none can be late, or lie. @param {readonly string[]} paths */
export async function processesIn(paths) {
  const identities = await Promise.all(paths.map(identityOf));
  /** @type {Map<string, number[]>} */
  const processes = new Map(paths.map((path) => [path, []]));
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  await Promise.all(
    pids.map(async (pid) => {
      const identity = await identityOf(`/proc/${pid}/ns/net`);
      const index = identity === null ? -1 : identities.indexOf(identity);
      if (index !== -1) processes.get(paths[index] ?? '')?.push(Number(pid));
    }),
  );
  return processes;
}

/** Ends whoever is in the namespace. @param {string} path */
export async function endProcessesIn(path) {
  for (;;) {
    const pids = (await processesIn([path])).get(path) ?? [];
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch (error) {
        if (error.code !== 'ESRCH') throw error;
      }
    }
    await sleep(10);
  }
}

/** Whether the guest's kernel answers. @param {string} address @returns {Promise<boolean>} */
export function answers(address) {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port: discardPort });
    const settle = (isUp) => {
      socket.destroy();
      resolve(isUp);
    };
    socket.setTimeout(answerMs, () => settle(false));
    socket.on('connect', () => settle(true));
    socket.on('error', ({ code }) => settle(code === 'ECONNREFUSED'));
  });
}
