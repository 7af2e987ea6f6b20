import { existsSync } from 'node:fs';
import { open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { ip, outcomeOf, run } from './run.ts';

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
  timeoutMs = 120_000,
): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await done())) {
    if (performance.now() > deadline) {
      throw new Error(`waited ${timeoutMs} ms for ${typeof what === 'string' ? what : what()}`);
    }
    await sleep(20);
  }
}

/** Of this process's namespace; by no tool, as nothing is asked more often. */
export async function linkNames(): Promise<string[]> {
  const [, , ...links] = (await readFile('/proc/self/net/dev', 'utf8')).trimEnd().split('\n');
  return links.map((line) => line.slice(0, line.indexOf(':')).trim()).filter((name) => name !== 'lo');
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

/** Of the links that are given, all; of the one that stays, what tests add to it; and all rules. */
const resetKernel = `
  [ $# -eq 0 ] || printf 'link delete dev %s\\n' "$@" | ip -force -batch - 2>/dev/null
  printf 'address flush dev lo scope %s\\n' global link | ip -batch - || exit
  ip -4 route flush table main && ip -6 route flush table main && nft flush ruleset || exit
  tc qdisc delete dev lo ingress 2>/dev/null || true`;

/** What a reboot leaves: files on disks, and nothing else. Waits until the kernel has freed the links. */
export async function reboot(): Promise<void> {
  assertLab();
  await removeNamespaces();
  await run('sh', ['-c', resetKernel, 'sh', ...(await linkNames())]);
  let left: string[] = [];
  await until(
    () => `links to go: ${left}`,
    async () => {
      left = await linkNames();
      return left.length === 0;
    },
  );
  for (const directory of ['/run/cni', '/run/vulcan-net']) await empty(directory);
  await writeFile('/proc/sys/net/ipv4/ip_forward', '0');
  await writeFile('/proc/sys/net/ipv6/conf/all/forwarding', '0');
}

/** Where tests have a state, address or namespace directory other than the default; some mount on it. */
const otherDirs = ['/run/elsewhere', '/run/other', '/run/small', '/run/state'];

async function removeOthers(): Promise<void> {
  for (const directory of otherDirs.filter((path) => existsSync(path))) {
    await outcomeOf('umount', ['--recursive', '--lazy', directory]);
    await rm(directory, { recursive: true, force: true });
  }
}

/** The lab as it was when it began: no links, namespaces, rules or files. */
export async function resetLab(): Promise<void> {
  await reboot();
  await removeOthers();
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
