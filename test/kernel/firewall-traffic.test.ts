import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FirewallNetwork } from '../../lib/native/engine.ts';
import { networkPlan } from '../support/firewall.ts';
import { resetLab, until } from '../support/lab.ts';
import { native } from '../support/native.ts';
import { nft, runIn } from '../support/run.ts';
import {
  addAddress,
  addBridge,
  addGuest,
  addOutside,
  Background,
  host,
  hostAddress,
  isDropped,
  isUnanswered,
  outside,
  outsideAddress,
  ping,
  reach,
  send,
} from '../support/traffic.ts';

const port = 8080;
const metadata = '169.254.169.254';
const background: Background[] = [];
let redGuest: string;
let blueGuest: string;

const red = (change: Partial<FirewallNetwork> = {}) => networkPlan('red', 'red0', '10.168.0.0/24', change);
/** Dual stack. */
const blue = (change: Partial<FirewallNetwork> = {}) =>
  networkPlan('blue', 'blue0', '10.169.0.0/24', {
    subnets: ['10.169.0.0/24', 'fd00:9::/64'],
    gateways: ['10.169.0.1', 'fd00:9::1'],
    ipv6: true,
    ...change,
  });

async function start(...args: Parameters<typeof Background.start>): Promise<Background> {
  const started = Background.start(...args);
  background.push(started);
  await until(`${args[1]} to start`, () => started.lines.includes('ready'));
  return started;
}

beforeAll(async () => {
  await resetLab();
  await addOutside();
  await addBridge('red0', ['10.168.0.1/24', 'fd00:8::1/64']);
  await addBridge('blue0', ['10.169.0.1/24', 'fd00:9::1/64']);
  await addAddress('lo', `${metadata}/32`);
  redGuest = await addGuest('red', 'red0', ['10.168.0.2/24', 'fd00:8::2/64'], ['10.168.0.1', 'fd00:8::1']);
  blueGuest = await addGuest('blue', 'blue0', ['10.169.0.2/24', 'fd00:9::2/64'], ['10.169.0.1', 'fd00:9::1']);
  for (const netns of [host, outside, redGuest, blueGuest]) await start(netns, 'tcp-server', '::', `${port}`);
});

afterAll(async () => {
  for (const process of background) await process.stop();
  await resetLab();
});

async function only(...plans: FirewallNetwork[]): Promise<void> {
  for (const network of await native.firewallList({})) await native.firewallRemove({ network });
  for (const plan of plans) await native.firewallEnsure(plan);
}

async function count(netns: string, hook: string, match: string): Promise<void> {
  const chain = `{ type filter hook ${hook} priority -400; ${match} counter; }`;
  await runIn(netns, 'nft', `table inet watch { chain packets ${chain}; }`);
}

async function counted(netns: string): Promise<number> {
  const listing = await runIn(netns, 'nft', 'list', 'table', 'inet', 'watch');
  return Number(/packets (\d+) bytes/.exec(listing)?.[1]);
}

describe('without a firewall', () => {
  it('everything that the other tests expect to be dropped gets through', async () => {
    await only();
    expect(await reach(outside, '10.168.0.2', port)).toBe(outsideAddress);
    expect(await reach(redGuest, outsideAddress, port)).toBe('10.168.0.2');
    for (const address of ['10.168.0.1', '10.169.0.1', hostAddress, metadata, 'fd00:8::1']) {
      expect(await reach(redGuest, address, port)).not.toBeNull();
    }
  });
});

describe('what leaves', () => {
  it('is masqueraded', async () => {
    await only(red(), blue());
    expect(await reach(redGuest, outsideAddress, port)).toBe(hostAddress);
    expect(await reach(blueGuest, outsideAddress, port)).toBe(hostAddress);
    expect(await reach(blueGuest, '2001:db8:2::2', port)).toBe('2001:db8:2::1');
  });

  it('keeps its address where the network is not masqueraded', async () => {
    await only(red({ masquerade: false }), blue());
    expect(await reach(redGuest, outsideAddress, port)).toBe('10.168.0.2');
    expect(await reach(blueGuest, outsideAddress, port)).toBe(hostAddress);
  });

  it('keeps its address as multicast', async () => {
    await only(red());
    const group = '239.1.2.3';
    const server = await start(outside, 'udp-server', '9', group, outsideAddress);
    await send(host, '10.168.0.1', outsideAddress, '9', 'unicast');
    await send(host, '10.168.0.1', group, '9', 'multicast', hostAddress);
    await until('both datagrams', () => server.lines.length === 3);
    expect(server.lines).toContain(`unicast from ${hostAddress}`);
    expect(server.lines).toContain('multicast from 10.168.0.1');
  });

  it("leaves the host's own connections to its gateway address alone", async () => {
    await only(red());
    expect(await reach(host, '10.168.0.1', port)).toBe('10.168.0.1');
  });

  it('is never a packet that conntrack can not place, with the address of the guest', async () => {
    await only();
    const loose = '/proc/sys/net/netfilter/nf_conntrack_tcp_loose';
    await writeFile(loose, '0');
    // Begun while nobody tracked connections, so that its packets are invalid afterwards.
    const busy = Background.start(redGuest, 'tcp-echo', outsideAddress, `${port}`, '50');
    background.push(busy);
    await until('the connection', () => busy.lines.length > 5);
    await native.firewallEnsure(red());
    await count(host, 'prerouting', 'iifname red0 ip protocol tcp');
    await count(outside, 'prerouting', 'ip saddr 10.168.0.2');
    await until('the guest to go on', async () => (await counted(host)) > 1);
    expect(await counted(outside)).toBe(0);
    await busy.stop();
    for (const netns of [host, outside]) await runIn(netns, 'nft', 'delete', 'table', 'inet', 'watch');
    await writeFile(loose, '1');
  });
});

describe('into a network', () => {
  it('come only answers from outside', async () => {
    await only(red(), blue());
    expect(await isDropped(outside, '10.168.0.2', port)).toBe(true);
    expect(await isDropped(outside, 'fd00:9::2', port)).toBe(true);
    expect(await reach(redGuest, outsideAddress, port)).toBe(hostAddress);
  });

  it('come connections from our other networks, with their own address', async () => {
    await only(red(), blue());
    expect(await reach(redGuest, '10.169.0.2', port)).toBe('10.168.0.2');
    expect(await reach(blueGuest, '10.168.0.2', port)).toBe('10.169.0.2');
  });

  it('comes the host', async () => {
    await only(red());
    expect(await reach(host, '10.168.0.2', port)).toBe('10.168.0.1');
    expect(await ping(host, '10.168.0.2')).toBe(true);
  });
});

describe('to the host', () => {
  it.each([
    ['a service on the gateway', '10.168.0.1'],
    ["a service on another network's gateway", '10.169.0.1'],
    ['a service on any other address of the host', hostAddress],
  ])('%s is dropped', async (_what, address) => {
    await only(red(), blue());
    expect(await isDropped(redGuest, address, port)).toBe(true);
  });

  it('goes what hostAccess lists, and nothing else', async () => {
    await only(red({ hostAccess: [{ protocol: 6, port }] }), blue());
    await start(host, 'tcp-server', '::', `${port + 1}`);
    expect(await reach(redGuest, '10.168.0.1', port)).toBe('10.168.0.2');
    expect(await isDropped(redGuest, '10.168.0.1', port + 1)).toBe(true);
    expect(await isDropped(blueGuest, '10.169.0.1', port)).toBe(true);
  });

  it('goes nothing of another protocol than the listed one', async () => {
    await only(red({ hostAccess: [{ protocol: 17, port }] }));
    expect(await isDropped(redGuest, '10.168.0.1', port)).toBe(true);
  });

  it("goes everything with hostAccess 'all'", async () => {
    await only(red({ hostAccess: 'all' }), blue());
    expect(await reach(redGuest, '10.168.0.1', port)).toBe('10.168.0.2');
    expect(await reach(redGuest, hostAddress, port)).toBe('10.168.0.2');
    expect(await isDropped(blueGuest, '10.169.0.1', port)).toBe(true);
  });

  it("go pings of a guest's own gateway only", async () => {
    await only(red(), blue());
    expect(await ping(redGuest, '10.168.0.1')).toBe(true);
    expect(await isUnanswered(redGuest, '10.169.0.1')).toBe(true);
    expect(await isUnanswered(redGuest, hostAddress)).toBe(true);
    expect(await ping(blueGuest, 'fd00:9::1')).toBe(true);
    expect(await isUnanswered(blueGuest, '2001:db8:2::1')).toBe(true);
  });
});

describe('169.254.0.0/16', () => {
  it("is dropped, also with hostAccess 'all'", async () => {
    await only(red());
    expect(await isDropped(redGuest, metadata, port)).toBe(true);
    await only(red({ hostAccess: 'all' }));
    expect(await isDropped(redGuest, metadata, port)).toBe(true);
  });

  it('is reached where it is allowed: of the host, what hostAccess lists', async () => {
    await only(red({ allowLinkLocal: true }), blue());
    expect(await isDropped(redGuest, metadata, port)).toBe(true);
    await only(red({ allowLinkLocal: true, hostAccess: [{ protocol: 6, port }] }), blue());
    expect(await reach(redGuest, metadata, port)).toBe('10.168.0.2');
    expect(await isDropped(blueGuest, metadata, port)).toBe(true);
  });
});

describe('IPv6 of a network without it', () => {
  it.each([
    ['the host', 'fd00:8::1'],
    ["another network's guest", 'fd00:9::2'],
    ['the outside', '2001:db8:2::2'],
  ])("does not reach %s, even with hostAccess 'all'", async (_what, address) => {
    await only(red({ hostAccess: 'all' }), blue());
    expect(await isDropped(redGuest, address, port)).toBe(true);
  });
});

describe('a change', () => {
  it('of one network does not break connections of another', async () => {
    await only(red(), blue());
    const busy = Background.start(blueGuest, 'tcp-echo', outsideAddress, `${port}`);
    background.push(busy);
    const progress = async () => {
      const before = busy.lines.length;
      await until('the connection to go on', () => busy.lines.length > before + 5);
    };
    await progress();
    for (let i = 0; i < 10; i++) {
      await native.firewallRemove({ network: 'red' });
      await native.firewallEnsure(red());
      await progress();
    }
    await nft('flush', 'chain', 'inet', 'vulcan', 'forward');
    await native.firewallEnsure(red());
    await progress();
    expect(busy.running).toBe(true);
  });

  it('takes effect for packets of connections that exist already', async () => {
    await only(red({ allowLinkLocal: true, hostAccess: 'all' }));
    const busy = Background.start(redGuest, 'tcp-echo', metadata, `${port}`);
    background.push(busy);
    await until('the connection', () => busy.lines.length > 5);
    await native.firewallEnsure(red({ hostAccess: 'all' }));
    // What came back until then may not have been read yet.
    let before = -1;
    await until('the last lines', async () => {
      before = busy.lines.length;
      await sleep(200);
      return busy.lines.length === before;
    });
    expect(await isDropped(redGuest, metadata, port)).toBe(true);
    expect(busy.lines.length - before).toBeLessThan(3);
  });
});
