import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { addNamespace, netnsDir } from './lab.ts';
import { ip, type Outcome, outcomeOf, run, runIn } from './run.ts';

/** The network namespace of the lab itself: what a host is to its guests. */
export const host = '/proc/self/ns/net';
/** Beyond the host, with a route back to every guest, so that only a firewall keeps it from them. */
export const outside = `${netnsDir}/outside`;
export const outsideAddress = '192.0.2.2';
/** What `outside` sees of a guest that is masqueraded. */
export const hostAddress = '192.0.2.1';

/** Long enough for an answer on a busy machine; how long silence is listened to. */
const answerMs = 30_000;
const silenceMs = 400;

const script = (name: string): string => fileURLToPath(new URL(`traffic/${name}.mjs`, import.meta.url));

const inNamespace = (netns: string, ...command: readonly string[]): string[] => [
  `--net=${netns}`,
  '--',
  ...command,
];

export async function addOutside(): Promise<void> {
  await addNamespace('outside');
  await ip('link', 'add', 'out0', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', 'outside');
  // The kernel's own addresses come later, into dumps that know nothing of them.
  await ip('link', 'set', 'out0', 'addrgenmode', 'none');
  await runIn(outside, 'ip', 'link', 'set', 'eth0', 'addrgenmode', 'none');
  for (const address of [`${hostAddress}/24`, '2001:db8:2::1/64']) await addAddress('out0', address);
  await ip('link', 'set', 'out0', 'up');
  for (const address of [`${outsideAddress}/24`, '2001:db8:2::2/64']) {
    await runIn(outside, 'ip', ...addressAdd('eth0', address));
  }
  await runIn(outside, 'ip', 'link', 'set', 'eth0', 'up');
  await runIn(outside, 'ip', 'route', 'add', 'default', 'via', hostAddress);
  await runIn(outside, 'ip', '-6', 'route', 'add', 'default', 'via', '2001:db8:2::1');
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
  await writeFile('/proc/sys/net/ipv6/conf/all/forwarding', '1');
}

function addressAdd(link: string, address: string): string[] {
  return ['address', 'add', address, 'dev', link, ...(address.includes(':') ? ['nodad'] : [])];
}

export const addAddress = (link: string, address: string): Promise<string> =>
  ip(...addressAdd(link, address));

/** A bridge with its gateway addresses, in CIDR form. */
export async function addBridge(name: string, gateways: readonly string[]): Promise<void> {
  await ip('link', 'add', name, 'type', 'bridge', 'forward_delay', '0', 'mcast_snooping', '0');
  for (const gateway of gateways) await addAddress(name, gateway);
  await ip('link', 'set', name, 'up');
}

/** A namespace on the bridge, in place of a VM; returns its path. */
export async function addGuest(
  name: string,
  bridge: string,
  addresses: readonly string[],
  gateways: readonly string[],
): Promise<string> {
  const netns = await addNamespace(name);
  await ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
  await ip('link', 'set', name, 'master', bridge, 'up');
  for (const address of addresses) await runIn(netns, 'ip', ...addressAdd('eth0', address));
  await runIn(netns, 'ip', 'link', 'set', 'eth0', 'up');
  for (const gateway of gateways) await runIn(netns, 'ip', 'route', 'add', 'default', 'via', gateway);
  return netns;
}

/** A script of this folder's `traffic/` in a namespace, and the lines it prints. */
export class Background {
  readonly lines: string[] = [];
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => this.lines.push(line));
  }

  static start(netns: string, name: string, ...args: readonly string[]): Background {
    const command = inNamespace(netns, process.execPath, script(name), ...args);
    return new Background(spawn('nsenter', command, { stdio: ['ignore', 'pipe', 'inherit'] }));
  }

  get running(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async stop(): Promise<void> {
    if (!this.running) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

function connectFrom(from: string, address: string, port: number, timeoutMs: number): Promise<Outcome> {
  const client = [process.execPath, script('tcp-client'), address, `${port}`, `${timeoutMs}`];
  return outcomeOf('nsenter', inNamespace(from, ...client));
}

/** The client's address, as the server sees it; `null` when there is no connection. */
export async function reach(from: string, address: string, port: number): Promise<string | null> {
  const { exitCode, stdout } = await connectFrom(from, address, port, answerMs);
  return exitCode === 0 ? stdout.trim().replace(/^::ffff:/, '') : null;
}

/** Whether nothing comes back at all: neither an answer nor a refusal. */
export async function isDropped(from: string, address: string, port: number): Promise<boolean> {
  return (await connectFrom(from, address, port, silenceMs)).stderr === 'no answer';
}

async function isAnswered(from: string, address: string, withinS: string): Promise<boolean> {
  const command = ['ping', '-c', '1', '-w', withinS, address];
  return (await outcomeOf('nsenter', inNamespace(from, ...command))).exitCode === 0;
}

/** Whether a ping is answered. */
export const ping = (from: string, address: string): Promise<boolean> =>
  isAnswered(from, address, `${answerMs / 1_000}`);

/** Of the kernel: it has them though whoever sent the ping was kept from reading them in time. */
const answers = (netns: string): Promise<string> =>
  runIn(netns, 'nstat', '-asz', 'IcmpInEchoReps', 'Icmp6InEchoReplies');

/** Whether a ping is answered by nobody for as long as silence is listened to. */
export async function isUnanswered(from: string, address: string): Promise<boolean> {
  const before = await answers(from);
  return !(await isAnswered(from, address, '1')) && (await answers(from)) === before;
}

export const send = (from: string, ...args: readonly string[]): Promise<string> =>
  run('nsenter', inNamespace(from, process.execPath, script('udp-client'), ...args));
