import { createSocket } from 'node:dgram';
import { expect, it } from 'vitest';
import { capture } from '../support/capture.ts';
import { keepFlows, tracked, untilNoSockets } from '../support/flows.ts';
import type { Guest } from '../support/guest.mjs';
import { until } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import { ip, run } from '../support/run.ts';
import { useGuestLab } from './fixture.ts';

const port = 53;
const early = 'for the first guest, in time';
const late = 'for the first guest, too late';
const anew = 'for whoever has the address';

/** Says it to the address for as long as the test lasts. */
function keepSaying(address: string, text: string): Disposable {
  const socket = createSocket('udp4');
  socket.on('error', () => {});
  const timer = setInterval(() => socket.send(text, port, address, () => {}), 20);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      socket.close();
    },
  };
}

/** The outside answers on a flow that a guest has begun; `to` is what the host has made of the guest's port. */
async function answer(from: string, to: number, text: string): Promise<void> {
  const program = `const socket = require('dgram').createSocket('udp4');
    socket.bind(${port}, '${from}', () => socket.send('${text}', ${to}, '192.0.2.1', () => socket.close()))`;
  await run('nsenter', ['--net=/run/netns/outside', '--', process.execPath, '-e', program]);
}

describeWith(['lab', 'tun', 'qemu', 'guest-image'], 'a guest in the slot of another', () => {
  const lab = useGuestLab();

  it('gets nothing of its flows, nor of what others had learnt of it', async () => {
    const pool = { min: 1, max: 1, restMs: 0 };
    const manager = await lab.open({ subnet: '10.168.0.0/30', isolated: true, pool }); // room for one guest
    await manager.warmUp();
    const firstNet = await manager.setup('vm-1');
    expect(firstNet.origin).toBe('warm');
    const first = await lab.boot(firstNet);

    // A flow through the NAT, one with the host, and the entries that come with them.
    const untilDone = (guest: Guest, command: string) =>
      until(command, async () => (await guest.run(command)).exitCode === 0);
    await keepFlows();
    await untilDone(first, `timeout 5 wget -q -O - ${lab.outside.url}first`);
    const { address, uplinkAddress } = lab.outside;
    await first.run(`timeout 3 nslookup name ${address}`);
    await untilDone(first, 'ping -c 1 -W 2 10.168.0.1');
    const flows = (await tracked(firstNet.guestIp)).join('\n');
    const [, translated] =
      flows.match(`src=${address} dst=${uplinkAddress} sport=${port} dport=(\\d+)`) ?? [];
    expect(flows).toContain('icmp');
    expect(await ip('neigh', 'show', firstNet.guestIp)).toContain(firstNet.mac);
    await using before = await capture(firstNet.netnsPath, firstNet.ifName);
    await answer(address, Number(translated), early);
    await until('an answer in time', () => before.has(Buffer.from(early)));
    await before[Symbol.asyncDispose]();

    await first.kill();
    await untilNoSockets(firstNet.netnsPath);
    await manager.teardown('vm-1');
    await until('the slot', () => manager.stats().pools[0]?.ready === 1);
    expect(manager.stats().latency).toMatchObject({ recycled: { count: 1 } });
    expect(await tracked(firstNet.guestIp)).toEqual([]);
    expect(await ip('neigh', 'show', firstNet.guestIp)).toBe('');

    const secondNet = await manager.setup('vm-2');
    expect(secondNet).toMatchObject({ origin: 'warm', guestIp: firstNet.guestIp, mac: firstNet.mac });
    const second = await lab.boot(secondNet);
    await using seen = await capture(secondNet.netnsPath, secondNet.ifName);
    await answer(address, Number(translated), late);
    // What is the second's own gets through: it has the same way out.
    await untilDone(second, `timeout 5 wget -q -O - ${lab.outside.url}second`);
    using _saying = keepSaying(secondNet.guestIp, anew);
    await until('what the host sends now', () => seen.has(Buffer.from(anew)));
    expect(seen.has(Buffer.from(late))).toBe(false);
  });
});
