import { expect, it } from 'vitest';
import { backends } from '../support/backends.ts';
import { type Capture, capture } from '../support/capture.ts';
import { arpFrame, igmpQueryFrame, ipv4Frame, ipv6Frame, udpFrame } from '../support/frames.ts';
import type { Guest } from '../support/guest.mjs';
import { until } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import { nft } from '../support/run.ts';
import { useGuestLab } from './fixture.ts';

/** Order is kept on the way, so once the last one has come, those before it have come, too, or never will. */
async function sendAll(guest: Guest, seen: Capture, frames: readonly Buffer[]): Promise<void> {
  for (const frame of frames) {
    const { exitCode, output } = await guest.run(`send-frame eth0 ${frame.toString('hex')}`);
    expect({ exitCode, output }).toEqual({ exitCode: 0, output: '' });
  }
  const last = frames.at(-1);
  if (last) await until('the last frame', () => seen.has(last));
}

describeWith(['lab', 'tun', 'qemu', 'guest-image', 'debian-plugins'], 'a guest that lies', () => {
  const lab = useGuestLab();

  it.each(backends)('gets nothing through on the %s backend', async (backend) => {
    const manager = await lab.open({ backend });
    const net = await manager.setup('liar');
    const other = await manager.setup('other');
    const { gatewayIp } = net;
    if (gatewayIp === null) throw new Error('the network has a gateway');
    const guest = await lab.boot(net);
    await using seen = await capture(other.netnsPath, other.ifName);

    const honest = [
      arpFrame(net.mac, { mac: net.mac, ip: net.guestIp }),
      ipv4Frame(net.mac, net.guestIp),
    ] as const;
    const lies = {
      "another's MAC": ipv4Frame(other.mac, net.guestIp),
      "another's address": ipv4Frame(net.mac, other.guestIp),
      "the gateway's address": ipv4Frame(net.mac, gatewayIp),
      "both of another's": ipv4Frame(other.mac, other.guestIp),
      "another's address in ARP": arpFrame(net.mac, { mac: net.mac, ip: other.guestIp }),
      "the gateway's address in ARP": arpFrame(net.mac, { mac: net.mac, ip: gatewayIp }),
      "another's MAC in ARP": arpFrame(net.mac, { mac: other.mac, ip: net.guestIp }),
      "a server's answer by DHCP": udpFrame(net.mac, net.guestIp, '255.255.255.255', 67),
      "a router's question by IGMP": igmpQueryFrame(net.mac, net.guestIp),
      'IPv6 on an IPv4-only network': ipv6Frame(net.mac, 'fe80::1'),
    };
    const through = () => Object.keys(lies).filter((lie) => seen.has(lies[lie as keyof typeof lies]));

    await sendAll(guest, seen, [...Object.values(lies), ...honest]);
    expect(through()).toEqual([]);
    expect(honest.every((frame) => seen.has(frame))).toBe(true);

    // They were well formed, and only the firewall stood before them.
    await nft('flush', 'ruleset');
    await sendAll(guest, seen, Object.values(lies));
    expect(through()).toEqual(Object.keys(lies));
  });
});
