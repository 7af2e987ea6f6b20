import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AddressRequest } from '../../lib/native/attachment.ts';
import { NetworkManager } from '../../lib/network-manager.ts';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import { addNamespace, resetLab } from '../support/lab.ts';
import { addonFile, native } from '../support/native.ts';
import { describeWith } from '../support/require.ts';
import { run } from '../support/run.ts';
import { upstreamPluginDir } from '../support/tools.mjs';

const stores = '/run/cni/networks';
let directory = '';
/** A new store for each test: the addon remembers those that it has met. */
let store = 0;

async function newStore(): Promise<void> {
  await resetLab();
  directory = `${stores}/store${++store}`;
  await native.addressStoreMake({ directory });
}
const script = (name: string) => fileURLToPath(new URL(`../support/addresses/${name}.mjs`, import.meta.url));

function rangeOf(start: string, end: string, prefixLength: number): AddressRequest {
  return { set: 0, ranges: [{ start, end, gateway: null, prefixLength }], excluded: [] };
}

const few = rangeOf('10.1.0.2', '10.1.0.5', 24);

async function reserve(owner: string, request: AddressRequest = few): Promise<string> {
  const plan = { directory, owner: `${owner}\r\neth0`, requests: [request], timeoutMs: 5_000 };
  const [address] = await native.addressReserve(plan);
  return address?.ip ?? '';
}

const release = (owner: string, ips: readonly string[] | null) =>
  native.addressRelease({ directory, owner: `${owner}\r\neth0`, ips, timeoutMs: 5_000 });

describe('the address store', () => {
  beforeEach(newStore);

  it('goes round, so that what was freed rests longest', async () => {
    expect([await reserve('a'), await reserve('b')]).toEqual(['10.1.0.2', '10.1.0.3']);
    await release('a', ['10.1.0.2']);
    expect([await reserve('c'), await reserve('d'), await reserve('e')]).toEqual([
      '10.1.0.4',
      '10.1.0.5',
      '10.1.0.2',
    ]);
  });

  it('goes on from range to range', async () => {
    const ranges = [...few.ranges, ...rangeOf('10.2.0.8', '10.2.0.9', 24).ranges];
    const both = { ...few, ranges };
    const taken: string[] = [];
    for (const owner of 'abcdef') taken.push(await reserve(owner, both));
    expect(taken).toEqual(['10.1.0.2', '10.1.0.3', '10.1.0.4', '10.1.0.5', '10.2.0.8', '10.2.0.9']);
    await release('b', null);
    expect(await reserve('g', both)).toBe('10.1.0.3');
  });

  it('gives neither a gateway nor what is excluded', async () => {
    const range = { start: '10.1.0.1', end: '10.1.0.4', gateway: '10.1.0.1', prefixLength: 24 };
    const request = { set: 0, ranges: [range], excluded: ['10.1.0.3'] };
    expect([await reserve('a', request), await reserve('b', request)]).toEqual(['10.1.0.2', '10.1.0.4']);
    await expect(reserve('c', request)).rejects.toMatchObject({
      ...{ code: 'ENOSPC', reason: 'addresses-exhausted' },
      message: expect.stringContaining('all 2 addresses'),
    });
  });

  it('notices what others have freed before it says that all are taken', async () => {
    for (const owner of 'abcd') await reserve(owner);
    await rm(`${directory}/10.1.0.4`);
    expect(await reserve('e')).toBe('10.1.0.4');
  });

  it('releases what host-local of old reserved, and nobody else’s', async () => {
    await mkdir(directory, { recursive: true });
    await writeFile(`${directory}/10.1.0.2`, 'a\n');
    await writeFile(`${directory}/10.1.0.3`, 'a\r\neth1');
    await writeFile(`${directory}/10.1.0.4`, ' a\r\neth0\n');
    expect(await release('a', null)).toEqual(['10.1.0.2', '10.1.0.4']);
    expect(await release('a', ['10.1.0.3'])).toEqual([]);
  });

  it('leaves nothing of a reservation that it cannot finish', async () => {
    await reserve('a');
    // Room for an owner's file, and not for a longer address.
    const child = ['--fsize=8', '--', process.execPath, script('reserve'), addonFile];
    const plan = {
      directory,
      owner: 'b',
      requests: [rangeOf('10.100.100.200', '10.100.100.201', 24)],
      timeoutMs: 0,
    };
    expect(await run('prlimit', [...child, JSON.stringify(plan)])).toBe('EFBIG');
    expect((await readdir(directory)).sort()).toEqual(['10.1.0.2', 'last_reserved_ip.0', 'lock']);
    expect(await readdir(stores)).toEqual([`store${store}`]);
  });
});

describeWith(['strace'], 'a /16 that is nearly full', () => {
  const traceFile = '/run/store.trace';
  const free = ['10.9.77.1', '10.9.77.2', '10.9.200.9', '10.9.250.250'];
  const whole = rangeOf('10.9.0.1', '10.9.255.254', 16);

  beforeEach(async () => {
    await newStore();
    await mkdir(directory, { recursive: true });
    await run(process.execPath, [script('fill'), directory, '10.9', ...free]);
  });

  it('gives what is free without a walk over what is taken', async () => {
    const plan = { directory, owner: 'a', requests: [whole], timeoutMs: 0 };
    const strace = ['--follow-forks', '--output', traceFile, '--trace=access,linkat,openat,getdents64'];
    const args = [process.execPath, script('reserve-each'), addonFile, JSON.stringify(plan), '3'];
    expect(JSON.parse(await run('strace', [...strace, ...args]))).toEqual(free.slice(0, 3));
    // One piece of the trace for each.
    const [, ...pieces] = (await readFile(traceFile, 'utf8')).split('"/mark"');
    const counts = pieces.slice(0, 3).map((piece) => ({
      links: piece.match(/linkat\(/g)?.length ?? 0,
      addressesOpened: piece.match(/openat\([^,]*, "10\./g)?.length ?? 0,
      reads: piece.match(/getdents64\(/g)?.length ?? 0,
    }));
    // A process that knows nothing of the store tries a few, and then reads its names, once.
    expect(counts[0]?.links).toBeLessThan(40);
    expect(counts[0]?.reads).toBeGreaterThan(0);
    expect(counts.map(({ addressesOpened }) => addressesOpened)).toEqual([0, 0, 0]);
    expect(counts.slice(1)).toEqual([
      { links: 1, addressesOpened: 0, reads: 0 },
      { links: 1, addressesOpened: 0, reads: 0 },
    ]);
  });
});

interface Holding {
  readonly ip: string;
  readonly from: bigint;
  readonly to: bigint;
}

/** Runs a loop to its end; while it had which address. */
async function holdingsOf(file: string, args: readonly string[]): Promise<Holding[]> {
  const child = spawn(process.execPath, [script(file), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const since = new Map<string, bigint>();
  const holdings: Holding[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const [verb, ip = '', at = ''] = line.split(' ');
    if (verb === 'got') since.set(ip, BigInt(at));
    else holdings.push({ ip, from: since.get(ip) ?? 0n, to: BigInt(at) });
  }
  expect(await ended).toEqual([0, null]);
  return holdings;
}

function byAddress(holdings: readonly Holding[]): Holding[][] {
  const groups = new Map<string, Holding[]>();
  for (const holding of [...holdings].sort((a, b) => (a.from < b.from ? -1 : 1))) {
    groups.set(holding.ip, [...(groups.get(holding.ip) ?? []), holding]);
  }
  return [...groups.values()];
}

describeWith(['upstream-plugins', 'tun'], 'a store that four processes share', () => {
  const rounds = 40;
  const options: NetworkManagerOptions = {
    ...{ backend: 'native', verify: 'off' },
    ranges: [{ start: '10.168.0.2', end: '10.168.0.33' }],
  };
  let manager: NetworkManager;

  beforeEach(async () => {
    await resetLab();
    manager = await NetworkManager.open(options);
  });
  afterEach(() => manager.close());

  it('two native managers and two of the real plugin: none is given twice, none is lost', async () => {
    const list = JSON.parse(await readFile('/etc/cni/conf.d/fcnet.conflist', 'utf8'));
    const { type, ipam } = list.plugins[0];
    const config = JSON.stringify({ cniVersion: list.cniVersion, name: list.name, type, ipam });
    await addNamespace('host-local');
    const loops = await Promise.all([
      ...['n', 'm'].map((name) => holdingsOf('manager-loop', [JSON.stringify(options), name, `${rounds}`])),
      ...['h', 'i'].map((name) =>
        holdingsOf('host-local-loop', [`${upstreamPluginDir}/host-local`, config, name, `${rounds}`]),
      ),
    ]);
    for (const loop of loops) expect(loop).toHaveLength(rounds);
    const groups = byAddress(loops.flat());
    for (const holdings of groups) {
      holdings.slice(1).forEach((holding, index) => {
        expect(holding.from, holding.ip).toBeGreaterThan(holdings[index]?.to ?? 0n);
      });
    }
    // They went round several times.
    expect(groups).toHaveLength(32);
    const names = await readdir(`${stores}/fcnet`);
    expect(names.filter((name) => /^\d/.test(name))).toEqual([]);
    expect(await manager.list()).toEqual([]);
  });
});
