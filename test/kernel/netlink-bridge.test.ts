import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import type { BridgePlan } from '../../lib/native/engine.ts';
import { canonicalDump } from '../support/dump.mjs';
import { expectUnchanged } from '../support/dump.ts';
import { resetLab } from '../support/lab.ts';
import { addonFile, native } from '../support/native.ts';
import { ip } from '../support/run.ts';

const plan = (change: Partial<BridgePlan> = {}): BridgePlan => ({
  name: 'fcbr0',
  mac: '02:fc:00:00:00:01',
  mtu: 0,
  addresses: ['10.168.0.1/24'],
  ipv6: false,
  ...change,
});

interface LinkJson {
  readonly flags: readonly string[];
  readonly mtu: number;
  readonly inet6_addr_gen_mode: string;
  readonly linkinfo: {
    readonly info_data: { readonly mcast_snooping: number; readonly forward_delay: number };
  };
}
interface AddressJson {
  readonly family: string;
  readonly local: string;
  readonly prefixlen: number;
  readonly broadcast?: string;
}

async function bridge() {
  const [found] = JSON.parse(await ip('-d', '-j', 'addr', 'show', 'fcbr0')) as [{ addr_info: AddressJson[] }];
  const [link] = JSON.parse(await ip('-d', '-j', 'link', 'show', 'fcbr0')) as [LinkJson];
  const addresses = found.addr_info.map(({ local, prefixlen }) => `${local}/${prefixlen}`);
  return { ...link, addresses, broadcasts: found.addr_info.flatMap(({ broadcast }) => broadcast ?? []) };
}

async function addPort(mtu: number): Promise<void> {
  await ip('link', 'add', 'port0', 'mtu', `${mtu}`, 'type', 'veth', 'peer', 'name', 'peer0');
  for (const name of ['port0', 'peer0']) await ip('link', 'set', name, 'up');
  await ip('link', 'set', 'port0', 'master', 'fcbr0');
}

describe('bridgeEnsure', () => {
  beforeEach(resetLab);

  it('creates the bridge with its final MAC and what makes it fast', async () => {
    const state = await native.bridgeEnsure(plan());
    expect(state).toEqual({ created: true, mac: '02:fc:00:00:00:01', mtu: 1500 });
    expect(await bridge()).toMatchObject({
      flags: expect.arrayContaining(['UP']),
      addresses: ['10.168.0.1/24'],
      broadcasts: ['10.168.0.255'],
      inet6_addr_gen_mode: 'none',
      linkinfo: { info_data: { mcast_snooping: 0, forward_delay: 0 } },
    });
    await addPort(1500);
    const { links } = await native.dump({ kinds: ['links'] });
    expect(links.find(({ name }) => name === 'fcbr0')?.mac).toBe('02:fc:00:00:00:01');
  });

  it('keeps its MTU whatever its ports have', async () => {
    expect(await native.bridgeEnsure(plan({ mtu: 1400 }))).toMatchObject({ mtu: 1400 });
    await addPort(1500);
    expect((await bridge()).mtu).toBe(1400);
  });

  it('is idempotent', async () => {
    await native.bridgeEnsure(plan({ mtu: 1400 }));
    const before = await canonicalDump();
    const state = await native.bridgeEnsure(plan({ mtu: 1400 }));
    expect(state).toEqual({ created: false, mac: '02:fc:00:00:00:01', mtu: 1400 });
    await expectUnchanged(before);
  });

  it('has no IPv6 without being told, and gets it when told later', async () => {
    await native.bridgeEnsure(plan());
    await addPort(1500);
    expect((await bridge()).addresses).toEqual(['10.168.0.1/24']);
    expect(await native.sysctlRead({ key: 'net/ipv6/conf/fcbr0/disable_ipv6' })).toBe('1');
    await native.bridgeEnsure(plan({ addresses: ['10.168.0.1/24', 'fd68::1/64'], ipv6: true }));
    expect((await bridge()).addresses).toContain('fd68::1/64');
    // A guest that says that it has it, too, must not take it from the host.
    expect(await ip('-6', 'address', 'show', 'dev', 'fcbr0', 'scope', 'global')).toContain(' nodad ');
    // And the other way round.
    await native.bridgeEnsure(plan());
    expect((await bridge()).addresses).toEqual(['10.168.0.1/24']);
  });

  it('gives a bridge that somebody else made its addresses, and leaves its MAC, MTU and IPv6', async () => {
    await ip('link', 'add', 'fcbr0', 'address', '02:00:00:00:00:07', 'type', 'bridge');
    const state = await native.bridgeEnsure(plan({ mtu: 1400 }));
    expect(state).toEqual({ created: false, mac: '02:00:00:00:00:07', mtu: 1500 });
    expect(await readFile('/proc/sys/net/ipv6/conf/fcbr0/disable_ipv6', 'utf8')).toBe('0\n');
    expect(await bridge()).toMatchObject({
      flags: expect.arrayContaining(['UP']),
      addresses: ['10.168.0.1/24'],
    });
  });

  it('leaves a bare one as the kernel makes it, but for its MAC and MTU', async () => {
    await ip('link', 'add', 'fcbr0', 'address', '02:fc:00:00:00:01', 'type', 'bridge');
    await ip('link', 'set', 'fcbr0', 'mtu', '1400', 'up');
    const made = await canonicalDump();
    await ip('link', 'delete', 'fcbr0');
    await native.bridgeEnsure(plan({ mtu: 1400, addresses: [], bare: true }));
    await expectUnchanged(made);
    expect(await native.sysctlRead({ key: 'net/ipv6/conf/fcbr0/disable_ipv6' })).toBe('0');
  });

  it('touches no link of another kind', async () => {
    await ip('link', 'add', 'fcbr0', 'type', 'veth', 'peer', 'name', 'peer0');
    const before = await canonicalDump();
    await expect(native.bridgeEnsure(plan())).rejects.toMatchObject({
      code: 'EEXIST',
      reason: 'wrong-kind',
      path: 'fcbr0',
    });
    await expectUnchanged(before);
  });

  it.each([
    ['another subnet', '10.169.0.1/24'],
    ['another gateway', '10.168.0.2/24'],
    ['another prefix length', '10.168.0.1/16'],
  ])('touches no bridge of %s', async (_, address) => {
    await ip('link', 'add', 'fcbr0', 'type', 'bridge');
    await ip('addr', 'add', address, 'dev', 'fcbr0');
    const before = await canonicalDump();
    const rejection = { code: 'EEXIST', reason: 'address-conflict', path: 'fcbr0' };
    await expect(native.bridgeEnsure(plan())).rejects.toMatchObject(rejection);
    await expectUnchanged(before);
  });

  // The kernel takes no multicast address, and has taken the others of the same batch by then.
  const impossible = plan({ addresses: ['10.168.0.1/24', 'ff02::1/64'], ipv6: true });
  const refusal = { code: 'EADDRNOTAVAIL', syscall: 'RTM_NEWADDR', path: 'fcbr0' };

  it('leaves nothing when it fails', async () => {
    const before = await canonicalDump();
    await expect(native.bridgeEnsure(impossible)).rejects.toMatchObject(refusal);
    await expectUnchanged(before);
  });

  it('takes back what it added to a bridge that was there', async () => {
    await ip('link', 'add', 'fcbr0', 'up', 'type', 'bridge');
    const before = await canonicalDump();
    await expect(native.bridgeEnsure(impossible)).rejects.toMatchObject(refusal);
    await expectUnchanged(before);
  });

  it('may be called by several processes at once', async () => {
    const script = `require(${JSON.stringify(addonFile)}).bridgeEnsure(${JSON.stringify(plan())})
      .then(({ created }) => console.log(created))`;
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => promisify(execFile)(process.execPath, ['-e', script])),
    );
    const created = answers.map(({ stdout }) => stdout.trim()).sort();
    expect(created).toEqual(['false', 'false', 'false', 'true']);
    expect((await bridge()).addresses).toEqual(['10.168.0.1/24']);
  });

  it('throws a TypeError for what is no MAC or no address', async () => {
    expect(() => native.bridgeEnsure(plan({ mac: 'x' }))).toThrow(TypeError);
    expect(() => native.bridgeEnsure(plan({ addresses: ['10.0.0.1'] }))).toThrow(TypeError);
  });
});
