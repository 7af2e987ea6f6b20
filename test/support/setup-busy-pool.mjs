// Sets a VM up and tears it down while libuv's only pool thread waits for somebody to write to a pipe, which nobody does
// before the end: UV_THREADPOOL_SIZE=1 node setup-busy-pool.mjs FIFO
import { closeSync, open as openSomeday, openSync } from 'node:fs';
import process from 'node:process';
import { NetworkManager } from '../../dist/index.js';

const [fifo = ''] = process.argv.slice(2);
const manager = await NetworkManager.open({ backend: 'native', verify: 'off', shutdown: 'leave' });
let poolIsFree = false;
openSomeday(fifo, 'r', (_error, reader) => {
  poolIsFree = true;
  closeSync(reader);
});
const net = await manager.setup('vm-1');
await manager.teardown('vm-1');
await manager.close();
process.stdout.write(JSON.stringify({ guestIp: net.guestIp, poolIsFree }));
closeSync(openSync(fifo, 'w'));
