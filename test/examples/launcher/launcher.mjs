/**
 * A launcher of microVMs, over HTTP, as root. Each guest has its network from a warm pool; a launcher that ends, however
 * it ends, leaves the guests as they are, and the next one finds them: all that is on the network `launcher` is its own.
 *
 *   node launcher.mjs [PORT [KERNEL INITRAMFS]]      PORT 0: any; the image: by default what scripts/setup has made
 *
 *   GET /              a page with its numbers, and buttons for the rest
 *   GET /stats         the numbers
 *   POST /vms          starts a guest
 *   DELETE /vms/VMID   ends one
 */
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { homedir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { isAlone } from './alone.mjs';
import { Machines } from './machines.mjs';

const lockFile = '/run/launcher.lock';
const images = join(homedir(), '.cache/vulcan-net/guest');
const [port = '8080', kernel = join(images, 'vmlinuz'), initramfs = join(images, 'initramfs.cpio.gz')] =
  process.argv.slice(2);

if (!isAlone(lockFile)) {
  console.error(`another launcher runs on this host: it has ${lockFile}`);
  process.exit(1);
}
const page = await readFile(new URL('page.html', import.meta.url));
const machines = await Machines.open({ kernel, initramfs });

/** @type {Record<string, (vmId: string) => Promise<readonly [status: number, body: unknown]>>} */
const routes = {
  'GET /stats': async () => [200, machines.stats()],
  'POST /vms': async () => [201, await machines.start()],
  'DELETE /vms': async (vmId) => {
    if (await machines.stop(vmId)) return [200, { vmId }];
    return [404, { code: 'NOT_FOUND', message: `there is no guest ${vmId}` }];
  },
};

/** What the network refuses has a code, and says what to do. */
function refusal(error) {
  return [503, { code: error.code ?? 'UNKNOWN', message: error.message }];
}

/** Pages of others reach this port from the user's browser, too: by their own name for it, or as strangers. */
function isOurs({ host, origin }) {
  const { port: own } = server.address();
  const isOurHost = [`127.0.0.1:${own}`, `localhost:${own}`].includes(host);
  return isOurHost && (origin === undefined || origin === `http://${host}`);
}

async function answer({ method, url = '/', headers }) {
  if (!isOurs(headers)) return [403, { code: 'FORBIDDEN', message: 'this is for its own page alone' }];
  const [, collection = '', vmId = ''] = url.split('/');
  const route = routes[`${method} /${collection}`];
  if (route === undefined) return [404, { code: 'NOT_FOUND', message: `there is no ${method} ${url}` }];
  return route(vmId).catch(refusal);
}

const server = createServer(async (request, response) => {
  if (request.method === 'GET' && request.url === '/') {
    response.setHeader('content-type', 'text/html; charset=utf-8');
    response.setHeader('content-security-policy', "frame-ancestors 'none'");
    return response.end(page);
  }
  const [status, body] = await answer(request);
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
});

async function end() {
  server.close();
  server.closeAllConnections();
  await machines.close();
}

server.on('error', async (error) => {
  console.error(error.message);
  process.exitCode = 1;
  await end();
});
server.listen(Number(port), '127.0.0.1', () => console.log(`listening on ${server.address().port}`));

for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, end);
