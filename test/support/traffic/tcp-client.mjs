// Prints what the server says first: tcp-client.mjs HOST PORT TIMEOUT_MS. Exits with 1 when there is no answer.
import { connect } from 'node:net';

const [host, port, timeoutMs] = process.argv.slice(2);
const socket = connect({ host, port: Number(port) });
socket.setTimeout(Number(timeoutMs), () => socket.destroy(new Error('no answer')));
socket.once('data', (data) => {
  process.stdout.write(data);
  socket.destroy();
});
socket.once('error', ({ code, message }) => {
  process.stderr.write(code ?? message);
  process.exitCode = 1;
});
