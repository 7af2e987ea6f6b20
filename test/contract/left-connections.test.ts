import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import type { NetworkConfig } from '../../lib/types.ts';
import { capture } from '../support/capture.ts';
import { speakTo, tracked } from '../support/flows.ts';
import { sentTo, tcpFrame } from '../support/frames.ts';
import { holdLock } from '../support/hold-lock.ts';
import { until } from '../support/lab.ts';
import { ip, nft } from '../support/run.ts';
import { buildSendFrame, sendFrames } from '../support/send-frame.ts';
import { standIn } from '../support/stand-in.ts';
import * as traffic from '../support/traffic.ts';
import { writeDualStack } from './dual-stack.ts';
import { type ContractLab, describeBackends, describeLayouts } from './fixture.ts';
import { linkOf } from './oracles.ts';

const oneAddress = { ranges: [{ start: '10.168.0.2', end: '10.168.0.2' }] };

const [syn, reset, ack] = [2, 4, 16];

const isForgotten = (address: string) =>
  until(`${address} is forgotten`, async () => (await tracked(address)).length === 0);

/** A VM that is gone, with a flow of the host's to it. */
async function leaveFlow(lab: ContractLab) {
  const manager = await lab.open(oneAddress);
  const { guestIp } = await manager.setup('vm-1');
  await speakTo(guestIp);
  await manager.teardown('vm-1');
  return { manager, guestIp };
}

describeLayouts('connections of a VM that is gone', (lab) => {
  it('are forgotten before another gets its address', async () => {
    const { manager, guestIp } = await leaveFlow(lab);
    const net = await manager.setup('vm-2');
    expect(net.guestIp).toBe(guestIp);
    expect(await tracked(guestIp)).toEqual([]);
  });

  it('are forgotten when the manager is closed', async () => {
    const { manager, guestIp } = await leaveFlow(lab);
    await manager.close();
    expect(await tracked(guestIp)).toEqual([]);
  });
});

/** The host's, to a server that sends back what it gets. */
async function connectTo({ guestIp }: NetworkConfig) {
  const socket = connect(7, guestIp).on('error', () => {});
  let heard = '';
  socket.on('data', (chunk: Buffer) => {
    heard += chunk;
  });
  await once(socket, 'connect');
  return {
    send: (text: Buffer) => socket.write(text),
    hear: async (text: string) => {
      socket.write(text);
      await until(text, () => heard.includes(text));
    },
    [Symbol.dispose]: () => socket.destroy(),
  };
}

describeLayouts('a connection that the host itself has', (lab) => {
  it('goes on as long as the VM lives, and is none of who gets its address', async () => {
    const manager = await lab.open(oneAddress);
    const first = await manager.setup('vm-1');
    const server = traffic.Background.start(await standIn(first), 'tcp-server', first.guestIp, '7');
    await until('the server to start', () => server.lines.includes('ready'));
    using connection = await connectTo(first);
    await connection.hear('hello');
    await nft('delete', 'table', 'inet', 'vulcan');
    await connection.hear('while nobody tracks it');
    await lab.open(oneAddress);
    await connection.hear('after another has opened the network');

    await manager.teardown('vm-1');
    await server.stop();
    const second = await manager.setup('vm-2');
    expect(second.guestIp).toBe(first.guestIp);
    // Whom it looks for answers nothing.
    const [{ dev = '' } = {}] = JSON.parse(await ip('-j', 'route', 'get', second.guestIp));
    await ip('neigh', 'replace', second.guestIp, 'lladdr', second.mac, 'dev', dev, 'nud', 'permanent');
    await using seen = await capture(second.netnsPath, second.ifName);
    const [segment, datagram] = [Buffer.from('of the first VM'), Buffer.from('of nobody')];
    connection.send(segment);
    const other = createSocket('udp4');
    await until('what comes after it', async () => {
      await new Promise((resolve) => other.send(datagram, 9, second.guestIp, resolve));
      return seen.has(datagram);
    });
    other.close();
    expect(seen.has(segment)).toBe(false);

    // It is sent again, and only the firewall stood before it.
    await nft('flush', 'ruleset');
    await until('the segment', () => seen.has(segment));
  });
});

describeBackends(
  'a guest that goes on with a connection of whoever had its address',
  (lab) => {
    it('gets no answer of the host, though it may begin one', async () => {
      await buildSendFrame();
      const manager = await lab.open({ hostAccess: [{ protocol: 'tcp', port: 7 }] });
      const net = await manager.setup('vm-1');
      const { address } = await linkOf(null, 'fcbr0');
      await using seen = await capture(net.netnsPath, net.ifName);
      // Whom it looks for answers nothing.
      await ip('neigh', 'replace', net.guestIp, 'lladdr', net.mac, 'dev', 'fcbr0', 'nud', 'permanent');
      const send = async (flags: number) =>
        sendFrames(net, [sentTo(address, tcpFrame(net.mac, net.guestIp, `${net.gatewayIp}`, 7, flags))]);
      // Nobody listens there, so it resets what it takes for none of its connections.
      const answers = (acknowledged: number, flags: number) => () =>
        seen.has(Buffer.from([0, 7, 0, 7, 0, 0, 0, 0, 0, 0, 0, acknowledged, 0x50, flags]));
      await send(ack);
      await send(syn);
      await until('an answer', answers(7, reset | ack));
      expect(answers(0, reset)()).toBe(false);

      // Only the firewall stood before it.
      await nft('flush', 'ruleset');
      await send(ack);
      await until('the other answer', answers(0, reset));
    });
  },
  ['native'],
);

describeBackends('connections of a VM that is gone, after a moment', (lab) => {
  it('are forgotten after its teardown', async () => {
    const { guestIp } = await leaveFlow(lab);
    await isForgotten(guestIp);
  });

  it('are forgotten after a teardown that took its time', async () => {
    const manager = await lab.open(oneAddress);
    const { guestIp } = await manager.setup('vm-1');
    await speakTo(guestIp);
    const release = await holdLock('/run/cni/networks/fcnet/lock');
    const teardown = manager.teardown('vm-1');
    // Longer than it takes until those of VMs that are gone are forgotten.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await tracked(guestIp)).not.toEqual([]);
    await release();
    await teardown;
    await isForgotten(guestIp);
  });

  it('are forgotten where gc removes it, and stay as long as it lives', async () => {
    const first = await lab.open({ ...oneAddress, shutdown: 'leave' });
    const { guestIp } = await first.setup('vm-1');
    await speakTo(guestIp);
    await first.close();
    expect(await tracked(guestIp)).not.toEqual([]);
    const manager = await lab.open(oneAddress);
    expect(await tracked(guestIp)).not.toEqual([]);
    await manager.gc({ keep: [] });
    await isForgotten(guestIp);
  });

  it('are forgotten of both its addresses, and none of anybody else', async () => {
    const manager = await lab.open({ conflist: await writeDualStack() });
    await manager.setup('vm-1');
    const { addresses } = await manager.setup('vm-2');
    const others = ['10.9.0.2', 'fd79::2', '::1'];
    for (const ip of [...others, ...addresses.map(({ ip }) => ip)]) await speakTo(ip);
    await manager.teardown('vm-2');
    for (const { ip } of addresses) await isForgotten(ip);
    for (const ip of others) expect(await tracked(ip)).not.toEqual([]);
  });

  it('are left alone once another manager has given the address away', async () => {
    const { guestIp } = await leaveFlow(lab);
    const other = await lab.open(oneAddress);
    await other.setup('vm-2');
    await speakTo(guestIp);
    const before = await tracked(guestIp);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await tracked(guestIp)).toHaveLength(before.length);
  });
});
