import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { until } from './lab.ts';

/** What the host tracks of an address, a line each. */
export const tracked = async (address: string): Promise<readonly string[]> =>
  (await readFile('/proc/net/nf_conntrack', 'utf8'))
    .split('\n')
    .filter((line) => line.includes(`=${address} `));

/** A flow of the host's to an address, which the host tracks; it looks for the neighbour, too. */
export async function speakTo(address: string): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.send('hello', 9, address, resolve));
  await until('the flow', async () => (await tracked(address)).length > 0);
  socket.close();
}
