import { existsSync } from 'node:fs';
import { open, readdir, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ip, nft, outcomeOf, run } from './run.ts';

/** Where anchors are. */
export const netnsDir = '/var/run/netns';

export function insideLab(): boolean {
  return process.env['VULCAN_LAB'] === '1' && existsSync('/run/vulcan-lab');
}

/** Tests that change the kernel's state never do so on a host. */
export function assertLab(): void {
  if (!insideLab()) throw new Error('this test changes the network: run it by scripts/lab -- npx vitest ...');
}

/** Waits until `done`, and says what it waited for when it does not come. */
export async function until(
  what: string | (() => string),
  done: () => Promise<boolean> | boolean,
  timeoutMs = 30_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await done())) {
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms for ${typeof what === 'string' ? what : what()}`);
    }
    await sleep(20);
  }
}

interface LinkName {
  readonly ifname: string;
}

export async function linkNames(): Promise<string[]> {
  const links = JSON.parse(await ip('-j', 'link', 'show')) as LinkName[];
  return links.map((link) => link.ifname).filter((name) => name !== 'lo');
}

async function removeNamespaces(): Promise<void> {
  for (const name of await readdir(netnsDir).catch(() => [])) {
    await outcomeOf('umount', ['--lazy', `${netnsDir}/${name}`]);
    await rm(`${netnsDir}/${name}`, { recursive: true, force: true });
  }
}

async function empty(directory: string): Promise<void> {
  for (const name of await readdir(directory).catch(() => [])) {
    await rm(`${directory}/${name}`, { recursive: true, force: true });
  }
}

/** What tests add to the one link that stays. */
async function resetLoopback(): Promise<void> {
  for (const scope of ['global', 'link']) await ip('address', 'flush', 'dev', 'lo', 'scope', scope);
  for (const family of ['-4', '-6']) await ip(family, 'route', 'flush', 'table', 'main');
  await outcomeOf('tc', ['qdisc', 'delete', 'dev', 'lo', 'ingress']);
}

/** What a reboot leaves: files on disks, and nothing else. Waits until the kernel has freed the links. */
export async function reboot(): Promise<void> {
  assertLab();
  await removeNamespaces();
  let left: string[] = [];
  for (const link of await linkNames()) await outcomeOf('ip', ['link', 'delete', link]);
  await until(
    () => `links to go: ${left}`,
    async () => {
      left = await linkNames();
      return left.length === 0;
    },
  );
  await resetLoopback();
  await nft('flush', 'ruleset');
  for (const directory of ['/run/cni', '/run/vulcan-net']) await empty(directory);
  await writeFile('/proc/sys/net/ipv4/ip_forward', '0');
  await writeFile('/proc/sys/net/ipv6/conf/all/forwarding', '0');
}

/** The lab as it was when it began: no links, namespaces, rules or files. */
export async function resetLab(): Promise<void> {
  await reboot();
  for (const directory of ['/var/lib/cni', '/etc/cni']) await empty(directory);
}

/** A namespace under its name, as iproute2 makes it. */
export async function addNamespace(name: string): Promise<string> {
  await ip('netns', 'add', name);
  await run('ip', ['-n', name, 'link', 'set', 'lo', 'up']);
  return `${netnsDir}/${name}`;
}

/** Another one in its place, made by somebody else. The old one is held meanwhile: the kernel gives the number of one that is gone to the next. */
export async function replaceNamespace(name: string): Promise<void> {
  const held = await open(`${netnsDir}/${name}`);
  await ip('netns', 'delete', name);
  await ip('netns', 'add', name);
  await held.close();
}
