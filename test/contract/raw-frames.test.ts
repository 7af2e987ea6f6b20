import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import type { NetworkConfig } from '../../lib/types.ts';
import { capture } from '../support/capture.ts';
import { ipv4Frame, sentTo, solicitationFrame, udpFrame } from '../support/frames.ts';
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

describeBackends(
  'a guest that asks whether an address is free',
  (lab) => {
    it('asks for its own alone, as another that is asked for has its host give it up', async () => {
      await buildSendFrame();
      const manager = await lab.open({ subnet: 'fd68::/64' });
      const liar = await manager.setup('liar');
      const victim = await manager.setup('victim');
      const asked = (source: string, target: string) => solicitationFrame(liar.mac, source, target);
      const stolen = [victim.guestIp, liar.gatewayIp ?? '', 'fe80::1'].map((ip) => asked('::', ip));
      const honest = [asked('::', liar.guestIp), asked(liar.guestIp, victim.guestIp)];
      await using seen = await capture(victim.netnsPath, victim.ifName);
      const hasAll = (frames: readonly Buffer[]) => () => frames.every((frame) => seen.has(frame));
      await sendFrames(liar, [...stolen, ...honest]);
      await until('all that is honest', hasAll(honest));
      expect(stolen.filter((frame) => seen.has(frame))).toEqual([]);

      // They were well formed, and only the guard stood before them.
      await nft('flush', 'ruleset');
      await sendFrames(liar, stolen);
      await until('all others', hasAll(stolen));
    });
  },
  ['native'],
);
