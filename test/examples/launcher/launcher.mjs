/**
 * A launcher of microVMs, over HTTP. Each guest has its network from a warm pool; a launcher that ends, however it
 * ends, leaves the guests as they are, and the next one finds them.
 *
 *   node launcher.mjs PORT DIRECTORY      0: any port; DIRECTORY has the guests' consoles and pid files
 *
 *   GET /              a page with its numbers, and buttons for the rest
 *   GET /stats         the numbers
 *   POST /vms          starts a guest
 *   DELETE /vms/VMID   ends one
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import process from 'node:process';
import { Machines } from './machines.mjs';

const [port = '8080', directory = '/run/launcher'] = process.argv.slice(2);

const page = await readFile(new URL('page.html', import.meta.url));
const machines = await Machines.open(directory);

/** @type {Record<string, (vmId: string) => Promise<readonly [status: number, body: unknown]>>} */
const routes = {
  'GET /stats': async () => [200, await machines.stats()],
  'POST /vms': async () => [201, await machines.start()],
  'DELETE /vms': async (vmId) => [(await machines.stop(vmId)) ? 200 : 404, { vmId }],
};

/** What the network refuses has a code, and says what to do. */
function refusal(error) {
  return [503, { code: error.code ?? 'UNKNOWN', message: error.message }];
}

const server = createServer(async (request, response) => {
  const [, collection = '', vmId = ''] = (request.url ?? '/').split('/');
  if (request.method === 'GET' && collection === '') {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    return response.end(page);
  }
  const route = routes[`${request.method} /${collection}`];
  const [status, body] = route === undefined ? [404, {}] : await route(vmId).catch(refusal);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
});

server.listen(Number(port), '127.0.0.1', () => console.log(`listening on ${server.address().port}`));

for (const signal of ['SIGTERM', 'SIGINT']) {
  process.once(signal, async () => {
    server.close();
    server.closeAllConnections();
    await machines.close();
  });
}
