import { createSocket } from 'node:dgram';
import { readFile, writeFile } from 'node:fs/promises';
import { type Address, parseAddress } from '../../lib/address.ts';
import { until } from './lab.ts';
import { runIn } from './run.ts';

/** As the kernel lists it: nothing of an IPv6 address is left out. */
function listed(text: string): string {
  const { family, value } = parseAddress(text) as Address;
  if (family === 4) return text;
  const digits = value.toString(16).padStart(32, '0');
  return (digits.match(/.{4}/g) as string[]).join(':');
}

/** What the host tracks of an address, a line each. */
export const tracked = async (address: string): Promise<readonly string[]> =>
  (await readFile('/proc/net/nf_conntrack', 'utf8'))
    .split('\n')
    .filter((line) => line.includes(`=${listed(address)} `));

/** The host forgets no flow of datagrams by itself for longer than a test lasts. */
export async function keepFlows(): Promise<void> {
  for (const setting of ['udp_timeout', 'udp_timeout_stream']) {
    await writeFile(`/proc/sys/net/netfilter/nf_conntrack_${setting}`, '3600');
  }
}

/** A flow of the host's to an address, which the host tracks; it looks for the neighbour, too, behind `link`. */
export async function speakTo(address: string, link?: string): Promise<void> {
  await keepFlows();
  const to = address.startsWith('fe80:') ? `${address}%${link}` : address;
  const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
  await until('the flow', async () => {
    await new Promise((resolve) => socket.send('hello', 9, to, resolve));
    return (await tracked(address)).length > 0;
  });
  socket.close();
}

/** The kernel may have yet to free those of tools that have ended. */
export const untilNoSockets = (netns: string): Promise<void> =>
  until('the sockets to be freed', async () =>
    (await runIn(netns, 'cat', '/proc/net/sockstat')).startsWith('sockets: used 0\n'),
  );

/** A connection within a namespace, whose loopback is down, that is over, but for the minute in which its port is nobody's. */
export async function leaveTimeWait(netns: string): Promise<void> {
  const program = `const net = require('net');
    const server = net.createServer((socket) => socket.end()).listen(0, '127.0.0.1', () =>
      net.connect(server.address().port, '127.0.0.1').resume().on('close', () => server.close()));`;
  await runIn(netns, 'ip', 'link', 'set', 'lo', 'up');
  await runIn(netns, process.execPath, '-e', program);
  await runIn(netns, 'ip', 'link', 'set', 'lo', 'down');
  await runIn(netns, 'ip', 'address', 'flush', 'dev', 'lo');
}
