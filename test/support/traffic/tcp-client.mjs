// Prints what the server says first: tcp-client.mjs HOST PORT TIMEOUT_MS. Exits with 1 when there is no answer.
import { connect } from 'node:net';

const [host, port, timeoutMs] = process.argv.slice(2);
const socket = connect({ host, port: Number(port) });
// A connection that there is by now is one, though this process was kept from looking.
socket.setTimeout(Number(timeoutMs), () =>
  setImmediate(() => socket.destroy(new Error(socket.connecting ? 'no answer' : 'connected, and no more'))),
);
socket.once('data', (data) => {
  process.stdout.write(data);
  socket.destroy();
});
socket.once('error', ({ code, message }) => {
  process.stderr.write(code ?? message);
  process.exitCode = 1;
});
