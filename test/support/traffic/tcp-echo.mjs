// Keeps one connection busy, a line at a time, and prints how many came back: tcp-echo.mjs HOST PORT [everyMs]
// With a time it sends that often, whatever comes back.
// Ends with 1 as soon as the connection does.
import { connect } from 'node:net';

const [host, port, everyMs] = process.argv.slice(2);
const socket = connect({ host, port: Number(port) });
let echoes = 0;
socket.on('data', () => {
  console.log(echoes++);
  if (everyMs === undefined) setTimeout(() => socket.write('again\n'), 5);
});
if (everyMs !== undefined) setInterval(() => socket.write('again\n'), Number(everyMs));
socket.on('error', () => process.exit(1));
socket.on('close', () => process.exit(1));
