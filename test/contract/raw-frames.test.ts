import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import type { NetworkConfig } from '../../lib/types.ts';
import { capture } from '../support/capture.ts';
import {
  behindOptions,
  type Ipv6Packet,
  icmp6,
  inFragments,
  ipv4Frame,
  ipv6PacketFrame,
  neighbour,
  sentTo,
  udp6,
  udpFrame,
} from '../support/frames.ts';
import { until } from '../support/lab.ts';
import { ip, nft, run } from '../support/run.ts';
import { buildSendFrame, sendFrames } from '../support/send-frame.ts';
import { describeBackends } from './fixture.ts';
import { hostLinks, linkOf } from './oracles.ts';

/** The spanning tree's, one of many, and LLDP's: left to themselves, bridges keep each of them for the host in another way. */
const groups = ['01:80:c2:00:00:00', '01:80:c2:00:00:03', '01:80:c2:00:00:0e'];
const open = 7001;
const shut = 7002;

/** What has come in on the host, by its port. */
async function listen() {
  const heard = new Set<number>();
  const sockets = [open, shut].map((port) => createSocket('udp4', () => heard.add(port)).bind(port));
  await Promise.all(sockets.map((socket) => once(socket, 'listening')));
  return { heard, [Symbol.dispose]: () => sockets.forEach((socket) => void socket.close()) };
}

async function portOf({ vmId }: NetworkConfig): Promise<string> {
  const link = (await hostLinks()).find(({ ifalias }) => ifalias === `vulcan-net fcnet ${vmId} eth0`);
  return link?.ifname ?? '';
}

const heardOn = (port: string): Promise<string> => run('bridge', ['fdb', 'show', 'dev', port]);

describeBackends('frames to the groups that bridges keep for themselves', (lab) => {
  it('are held to the port’s guard, the firewall and the cut like all others', async () => {
    await buildSendFrame();
    const manager = await lab.open({ hostAccess: [{ protocol: 'udp', port: open }], shutdown: 'leave' });
    const liar = await manager.setup('liar');
    const victim = await manager.setup('victim');
    const [port, gateway] = [await portOf(liar), liar.gatewayIp ?? ''];
    const bridge = (await linkOf(null, 'fcbr0')).address;
    const toHost = (net: NetworkConfig, to: number) => udpFrame(net.mac, net.guestIp, gateway, to);
    const sneaked = [ipv4Frame(victim.mac, victim.guestIp), toHost(liar, shut)].flatMap((frame) =>
      groups.map((group) => sentTo(group, frame)),
    );
    using host = await listen();
    // What has come in by the time that an honest frame has is all that will, in whatever order it is read.
    const send = async ({ honest = liar, expected = [open] } = {}) => {
      host.heard.clear();
      await sendFrames(liar, sneaked);
      await sendFrames(honest, [sentTo(bridge, toHost(honest, open))]);
      await until('all frames', () => expected.every((port) => host.heard.has(port)));
      return { heard: [...host.heard].sort(), poisoned: (await heardOn(port)).includes(victim.mac) };
    };
    const nothing = { heard: [open], poisoned: false };
    expect(await send()).toEqual(nothing);

    // Nothing else kept them back: a port that an earlier version has set up.
    await ip('link', 'set', port, 'group', '0', 'type', 'bridge_slave', 'group_fwd_mask', '0');
    const both = [open, shut];
    expect(await send({ expected: both })).toEqual({ heard: both, poisoned: true });
    await run('bridge', ['fdb', 'del', victim.mac, 'dev', port, 'master']);
    await lab.open({ hostAccess: [{ protocol: 'udp', port: open }] });
    expect(await send()).toEqual(nothing);

    await ip('link', 'set', port, 'mode', 'dormant', 'state', 'DORMANT');
    expect(await send({ honest: victim })).toEqual(nothing);
  });
});

describeBackends('a guest whose bridge somebody has deleted', (lab) => {
  it('reaches nothing by way of its port, which has stayed', async () => {
    await buildSendFrame();
    const manager = await lab.open({ shutdown: 'leave' });
    const guest = await manager.setup('vm-1');
    const port = await portOf(guest);
    const { address } = await linkOf(null, port);
    await ip('address', 'add', '192.0.2.1/32', 'dev', 'lo');
    await ip('link', 'delete', 'fcbr0');
    using host = await listen();
    const send = (to: number) =>
      sendFrames(guest, [sentTo(address, udpFrame(guest.mac, guest.guestIp, '192.0.2.1', to))]);
    await send(shut);
    // Nothing else keeps it back.
    await ip('link', 'set', port, 'group', '0');
    await send(open);
    await until('the last frame', () => host.heard.has(open));
    expect([...host.heard]).toEqual([open]);
  });
});

/** The first of its fragments, with more behind it that is no part of the packet. */
const withMore = (packet: Ipv6Packet, more: Buffer): Buffer =>
  Buffer.concat([ipv6PacketFrame(packet).subarray(0, 62 + 8), more]);

describeBackends(
  'a guest that speaks IPv6',
  (lab) => {
    it('speaks for itself alone, and as no router or server, in fragments, too', async () => {
      await buildSendFrame();
      const manager = await lab.open({ subnet: 'fd68::/64' });
      const { mac, guestIp, gatewayIp, ...liar } = await manager.setup('liar');
      const victim = await manager.setup('victim');
      // Each fragment as it comes, not put together on the bridge.
      const setting = '/proc/sys/net/bridge/bridge-nf-call-ip6tables';
      await run('sh', ['-c', `[ ! -e ${setting} ] || echo 0 >${setting}`]);
      const free = (target: string) => neighbour(mac, '::', { type: 135, target });
      const claim = (target: string, claimed?: string) =>
        neighbour(mac, guestIp, { type: 136, target, ...(claimed ? { mac: claimed } : {}) });
      const ask = (asking?: string) =>
        neighbour(mac, guestIp, { type: 135, target: victim.guestIp, ...(asking ? { mac: asking } : {}) });
      const other = (type: number, source = guestIp, bytes = 20) =>
        icmp6(mac, source, type, Buffer.alloc(bytes));
      const first = (packet: Ipv6Packet) => inFragments(packet)[0] as Ipv6Packet;
      const echo = icmp6(mac, guestIp, 128, Buffer.alloc(60));
      const lies = [
        ...[victim.guestIp, gatewayIp ?? '', 'fe80::1'].map(free),
        ...[claim(victim.guestIp), claim(victim.guestIp, mac), claim(guestIp, victim.mac), ask(victim.mac)],
        ...[other(130), other(134), other(137), udp6(mac, '::', 9), udp6(mac, guestIp, 547)],
        ...[free(victim.guestIp), claim(victim.guestIp, mac), claim(guestIp), ask(mac)].map(first),
        ...[claim(victim.guestIp), other(134)].map((each) => first(behindOptions(each))),
        first(udp6(mac, guestIp, 547)),
      ].map(ipv6PacketFrame);
      const hidden = [echo, udp6(mac, guestIp, 7)].map((seeming) =>
        withMore(first(behindOptions(seeming)), seeming.payload),
      );
      const honest = [
        ...[free(guestIp), ask(), ask(mac), claim(guestIp), claim(guestIp, mac)],
        ...[
          other(133, guestIp, 4),
          other(143, '::'),
          other(143),
          echo,
          behindOptions(echo),
          udp6(mac, guestIp, 9),
        ],
        ...[...inFragments(echo), ...inFragments(udp6(mac, guestIp, 7))],
      ].map(ipv6PacketFrame);
      await using seen = await capture(victim.netnsPath, victim.ifName);
      const missed = (frames: readonly Buffer[]) =>
        frames.filter((each) => !seen.has(each)).map((each) => each.toString('hex'));
      const send = (frames: readonly Buffer[]) => sendFrames({ ...liar, mac, guestIp, gatewayIp }, frames);
      await send([...lies, ...hidden, ...honest]);
      await until('all that is honest', () => missed(honest.slice(-1)).length === 0);
      expect(missed(honest)).toEqual([]);
      expect(
        [...lies, ...hidden].filter((frame) => seen.has(frame)).map((each) => each.toString('hex')),
      ).toEqual([]);

      // They were well formed, and only the guard stood before them.
      await nft('flush', 'ruleset');
      await send([...lies, ...hidden]);
      await until('all others', () => missed([...lies, ...hidden]).length === 0);
    });
  },
  ['native'],
);
