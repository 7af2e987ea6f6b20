import { mkdir, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { NativeError } from '../../lib/native/error.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { netnsDir } from '../support/lab.ts';
import { native } from '../support/native.ts';
import { describeWith } from '../support/require.ts';
import { ip, nft, outcomeOf, run } from '../support/run.ts';
import {
  attach,
  attachPlan,
  bridge,
  type Change,
  gateway,
  hostLinkOf,
  ipv4,
  ipv6,
  recordOf,
  recordsDir,
  storeDir,
  usedLab,
} from './attach-lab.ts';

const vm = 'a1';
const tap = (name: string) => ({ name, uid: 0, gid: 0 });
const range = (start: string, end: string) => ({ start, end, gateway, prefixLength: 24 });

const addLink = (name: string) => ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'peer0');

interface Case {
  readonly what: string;
  /** Makes the step fail for real. */
  readonly sabotage?: () => Promise<unknown>;
  readonly change?: Change;
  readonly error: Partial<NativeError>;
  /** Text of the extended acknowledgement. */
  readonly kernel?: RegExp;
}

const cases: readonly Case[] = [
  {
    what: 'its record is there',
    sabotage: () => writeFile(`${recordsDir}/${recordOf(vm)}`, '{}'),
    error: {
      code: 'EEXIST',
      step: 'lock',
      reason: 'attachment-exists',
      path: `${recordsDir}/${recordOf(vm)}`,
    },
  },
  {
    what: 'the name of its namespace is somebody else’s',
    sabotage: () => ip('netns', 'add', `vulcan-${vm}`),
    error: { code: 'EEXIST', step: 'lock', reason: 'foreign', path: `${netnsDir}/vulcan-${vm}` },
  },
  {
    what: 'the address store cannot be written',
    sabotage: async () => {
      await mkdir(storeDir, { recursive: true });
      await writeFile(`${storeDir}/lock`, '', { mode: 0o600 });
      await run('mount', ['--bind', '/run/cni/networks', '/run/cni/networks']);
      await run('mount', ['-o', 'remount,ro,bind', '/run/cni/networks']);
    },
    error: { code: 'EROFS', step: 'address', syscall: 'openat(O_TMPFILE)' },
  },
  {
    what: 'all addresses are taken',
    sabotage: () => writeFile(`${storeDir}/10.168.0.9`, 'other\r\neth0'),
    change: { requests: [{ ...ipv4, ranges: [range('10.168.0.9', '10.168.0.9')] }] },
    error: {
      code: 'ENOSPC',
      step: 'address',
      reason: 'addresses-exhausted',
      path: storeDir,
      message: expect.stringContaining('all 1 addresses of 10.168.0.9-10.168.0.9 are taken'),
    },
  },
  {
    what: 'the address that it wants is taken',
    sabotage: () => writeFile(`${storeDir}/10.168.0.9`, 'other\r\neth0'),
    change: { requests: [{ ...ipv4, address: '10.168.0.9' }] },
    error: { code: 'EEXIST', step: 'address', reason: 'address-taken', path: `${storeDir}/10.168.0.9` },
  },
  {
    what: 'the second of its addresses is taken',
    sabotage: () => writeFile(`${storeDir}/fd68::9`, 'other\r\neth0'),
    change: { requests: [ipv4, { ...ipv6, address: 'fd68::9' }] },
    error: { code: 'EEXIST', step: 'address', reason: 'address-taken', path: `${storeDir}/fd68::9` },
  },
  {
    what: 'it wants the gateway’s address',
    change: { requests: [{ ...ipv4, ranges: [range('10.168.0.1', '10.168.0.9')], address: gateway }] },
    error: { code: 'EINVAL', step: 'address', path: `${storeDir}/${gateway}` },
  },
  {
    what: 'there is no bridge',
    change: { interface: { bridge: 'none0' } },
    error: { code: 'ENODEV', step: 'bridge', path: 'none0' },
  },
  {
    what: 'the bridge is a link of another kind',
    sabotage: () => addLink('other0'),
    change: { interface: { bridge: 'other0' } },
    error: { code: 'EOPNOTSUPP', errno: -95, step: 'link', syscall: 'RTM_NEWLINK', path: hostLinkOf(vm) },
  },
  {
    what: 'the directory of records is gone, and can’t be made again',
    change: { interface: { record: { directory: '/proc/results', name: recordOf(vm), text: ['{}'] } } },
    error: { code: 'ENOENT', step: 'record', syscall: 'mkdir', path: '/proc/results' },
  },
  {
    what: 'the disk of the records is full',
    sabotage: async () => {
      await run('mount', ['-t', 'tmpfs', '-o', 'size=4k,mode=755', 'tmpfs', recordsDir]);
      await writeFile(`${recordsDir}/other`, 'x'.repeat(4096));
    },
    error: { code: 'ENOSPC', step: 'record' },
  },
  {
    what: 'somebody else has made the table of the guards',
    sabotage: async () => {
      await nft('delete', 'table', 'bridge', 'vulcan');
      await nft('add', 'table', 'bridge', 'vulcan');
    },
    error: { code: 'EEXIST', step: 'guard', reason: 'foreign', path: 'table bridge vulcan' },
  },
  {
    what: 'the name of the TAP is taken',
    change: { interface: { tap: tap('lo') } },
    error: { code: 'EEXIST', step: 'tap', syscall: 'ioctl(TUNSETIFF)', path: 'lo' },
  },
  {
    what: 'the name of the TAP is none',
    change: { interface: { tap: tap('a/b') } },
    error: { code: 'EINVAL', step: 'tap', syscall: 'ioctl(TUNSETIFF)', path: 'a/b' },
  },
  {
    what: 'the name of the host link is taken',
    sabotage: () => addLink(hostLinkOf(vm)),
    error: { code: 'EEXIST', errno: -17, step: 'link', syscall: 'RTM_NEWLINK', path: hostLinkOf(vm) },
  },
  {
    what: 'the name of the link inside is taken',
    change: { interface: { name: 'tap0' } },
    error: { code: 'EEXIST', step: 'link', syscall: 'RTM_NEWLINK' },
  },
  {
    what: 'the kernel refuses the MTU',
    change: { interface: { mtu: 100_000 } },
    error: { code: 'EINVAL', step: 'link', syscall: 'RTM_NEWLINK' },
  },
  {
    what: 'the second message of the link’s batch fails',
    change: { interface: { alias: 'x'.repeat(300) } },
    error: { code: 'ERANGE', step: 'link', syscall: 'RTM_NEWLINK' },
  },
  {
    what: 'a route leads nowhere',
    change: { interface: { routes: [{ destination: '0.0.0.0/0', gateway: '192.0.2.1' }] } },
    error: { code: 'ENETUNREACH', step: 'inside', syscall: 'RTM_NEWROUTE', path: 'eth0' },
    kernel: /[Nn]exthop/,
  },
];

describeWith(['tun'], 'a failed attach', () => {
  beforeEach(async () => {
    await usedLab();
  });
  afterEach(async () => {
    for (const directory of ['/run/cni/networks', recordsDir]) await outcomeOf('umount', [directory]);
  });

  it.each(cases)('is undone when $what', async ({ sabotage, change = {}, error, kernel }) => {
    await sabotage?.();
    const before = await canonicalDump();
    const failure = await native.attach(attachPlan(vm, change)).then(
      () => null,
      (reason: NativeError) => reason,
    );
    expect(failure).toMatchObject(error);
    expect(failure?.undoErrors).toBeUndefined();
    if (kernel !== undefined) expect(failure?.kernelMessage).toMatch(kernel);
    await expectUnchanged(before);
  });

  it('leaves the way free for the next', async () => {
    await expect(attach(vm, { interface: { mtu: 100_000 } })).rejects.toMatchObject({ code: 'EINVAL' });
    await attach(vm);
  });

  it('says that the bridge has no room, before the kernel does once it has counted', async () => {
    const ports = Array.from(
      { length: 1022 },
      (_, n) => `link add p${n} group 7 master ${bridge} type veth peer name q${n}`,
    );
    await writeFile('/run/ports', `${ports.join('\n')}\n`);
    try {
      await ip('-batch', '/run/ports');
      await attach('a2');
      const before = await canonicalDump();
      // Nobody has told about those ports.
      const surprise = { code: 'EXFULL', step: 'link', reason: 'bridge-full', path: hostLinkOf('a3') };
      await expect(attach('a3')).rejects.toMatchObject(surprise);
      await expect(attach('a3')).rejects.toMatchObject({
        ...{ code: 'ENOSPC', step: 'bridge', reason: 'bridge-full', path: bridge },
        message: expect.stringContaining('1023 ports'),
      });
      await expectUnchanged(before);
    } finally {
      await ip('link', 'delete', 'group', '7');
    }
    await attach('a3');
  });
});
