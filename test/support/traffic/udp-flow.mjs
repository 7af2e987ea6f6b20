// A steady flow of numbered datagrams to somebody who sends them back, until a line comes in:
//   udp-flow.mjs ADDRESS PORT
// Prints "ready" once some have come back, and at the end how many were sent, and which never came back.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const pauseMs = 2;
const patienceMs = 30_000;
const bufferBytes = 4 * 1024 * 1024;

const [address, port] = process.argv.slice(2);
const socket = createSocket({ type: 'udp4', recvBufferSize: bufferBytes });
const missing = new Set();
let sent = 0;
let received = 0;
socket.on('message', (message) => {
  if (!missing.delete(Number(message.toString()))) throw new Error(`${message} came twice`);
  if (++received === 50) console.log('ready');
});

const timer = setInterval(() => {
  missing.add(++sent);
  socket.send(`${sent}`, Number(port), address);
}, pauseMs);
await once(process.stdin, 'data');
clearInterval(timer);
for (const deadline = performance.now() + patienceMs; missing.size > 0 && performance.now() < deadline; ) {
  await sleep(20);
}
console.log(JSON.stringify({ sent, received, missing: [...missing] }));
process.exit();
