// Tells each client its own address, as the server sees it: tcp-server.mjs HOST PORT
import { createServer } from 'node:net';

const [host, port] = process.argv.slice(2);
const server = createServer((socket) => {
  socket.on('error', () => {});
  // A client that goes on talking gets everything back.
  socket.write(`${socket.remoteAddress}\n`);
  socket.pipe(socket);
});
server.listen(Number(port), host, () => console.log('ready'));
