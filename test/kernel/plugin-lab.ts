import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { bundledPluginDirectory } from '../../lib/native/load.ts';
import { addNamespace } from '../support/lab.ts';
import { type Outcome, outcomeOf, runIn } from '../support/run.ts';

export interface TapPlugin {
  readonly title: string;
  readonly file: string;
  readonly ours: boolean;
}

export const ours: TapPlugin = {
  title: 'our tc-redirect-tap',
  file: join(bundledPluginDirectory(), 'tc-redirect-tap'),
  ours: true,
};

/** Ours, and the original where the environment names one: not needed, but then held to the same. */
function plugins(): readonly TapPlugin[] {
  const file = process.env['VULCAN_TC_REDIRECT_TAP'];
  if (file === undefined || file === '') return [ours];
  if (basename(file) !== 'tc-redirect-tap' || !existsSync(file)) {
    throw new Error(`VULCAN_TC_REDIRECT_TAP must be a file named tc-redirect-tap, not ${file}`);
  }
  return [ours, { title: `the original tc-redirect-tap (${file})`, file, ours: false }];
}
export const tapPlugins = plugins();

export const pluginDir = ({ file }: TapPlugin): string => dirname(file);

/** The namespace of test/golden; cnitool makes the container's id of this path. */
export const goldenNetns = '/run/netns/cnrns1';
export const containerId = 'cnitool-0a30e4aadb6e5e167d22';

/** A namespace with what the first plugin of a chain would have left: eth0 and its address. */
export async function addSandbox(): Promise<void> {
  await addNamespace('cnrns1');
  await runIn(goldenNetns, 'ip', 'link', 'add', 'eth0', 'type', 'veth', 'peer', 'name', 'peer0');
  await runIn(goldenNetns, 'ip', 'address', 'add', '10.78.1.2/24', 'dev', 'eth0');
  for (const link of ['peer0', 'eth0']) await runIn(goldenNetns, 'ip', 'link', 'set', link, 'up');
}

/** What it would have said. */
export const prevResult = {
  cniVersion: '1.0.0',
  interfaces: [{ name: 'eth0', sandbox: goldenNetns }],
  ips: [{ address: '10.78.1.2/24', gateway: '10.78.1.1', interface: 0 }],
};

export const config = (fields: object = { prevResult }): string =>
  JSON.stringify({ cniVersion: '1.0.0', name: 'golden', type: 'tc-redirect-tap', ...fields });

export interface Invocation {
  readonly command: string;
  readonly stdin?: string;
  /** An undefined value removes the variable. */
  readonly env?: NodeJS.ProcessEnv;
  /** A program to run it under, with its arguments. */
  readonly under?: readonly string[];
}

export function environmentOf({ command, env = {} }: Invocation): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    CNI_COMMAND: command,
    CNI_CONTAINERID: containerId,
    CNI_NETNS: goldenNetns,
    CNI_IFNAME: 'eth0',
    CNI_PATH: '/nowhere',
    ...env,
  };
}

/** The plugin as a runtime calls it. */
export function invoke(plugin: TapPlugin, invocation: Invocation): Promise<Outcome> {
  const [file = plugin.file, ...args] = [...(invocation.under ?? []), plugin.file];
  return outcomeOf(file, args, { env: environmentOf(invocation), input: invocation.stdin ?? config() });
}

interface LinkJson {
  readonly ifname: string;
}

/** Names of the links in the sandbox, and how many qdiscs and filters wait for incoming frames there. */
export async function leftovers(): Promise<{ links: string[]; ingress: number }> {
  const links = JSON.parse(await runIn(goldenNetns, 'ip', '-j', 'link')) as LinkJson[];
  const qdiscs = await runIn(goldenNetns, 'tc', 'qdisc', 'show');
  return {
    links: links.map(({ ifname }) => ifname).sort(),
    ingress: qdiscs.split('\n').filter((line) => line.includes('ingress')).length,
  };
}

export const nothingLeft = { links: ['eth0', 'lo', 'peer0'], ingress: 0 };
