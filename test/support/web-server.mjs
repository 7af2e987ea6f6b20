/** An HTTP server that tells each client its own address, and says on stdout who asked: `web-server.mjs ADDRESS PORT`. */
import { createServer } from 'node:http';

const [address, port] = process.argv.slice(2);

createServer((request, response) => {
  const client = request.socket.remoteAddress ?? '';
  console.log(`${request.method} ${request.url} from ${client}`);
  response.end(`Hello from ${address}. You are ${client}.\n`);
}).listen(Number(port), address, () => console.log('listening'));
