import { execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);
const serverFile = fileURLToPath(new URL('web-server.mjs', import.meta.url));

/** @param {string} netns @param {string} address @param {number} port */
async function startServer(netns, address, port) {
  const args = [`--net=/run/netns/${netns}`, '--', process.execPath, serverFile, address, `${port}`];
  const server = spawn('nsenter', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  /** @type {string[]} */
  const lines = [];
  const printed = createInterface({ input: server.stdout });
  await new Promise((resolve) => {
    printed.once('line', resolve);
  });
  printed.on('line', (line) => lines.push(line));
  return { server, lines };
}

/**
 * The world beyond the lab: a host in a namespace of its own, with a web server and no route back to any guest, so that
 * only masqueraded requests get an answer.
 */
export async function startOutside() {
  const name = 'outside';
  const uplink = { link: 'uplink', address: '192.0.2.1' };
  const host = { address: '192.0.2.2', port: 8080 };
  for (const command of [
    `netns add ${name}`,
    `link add ${uplink.link} type veth peer name eth0 netns ${name}`,
    // The kernel's own addresses come later, into dumps that know nothing of them.
    `link set ${uplink.link} addrgenmode none`,
    `-n ${name} link set eth0 addrgenmode none`,
    `address add ${uplink.address}/24 dev ${uplink.link}`,
    `link set ${uplink.link} up`,
    `-n ${name} address add ${host.address}/24 dev eth0`,
    `-n ${name} link set lo up`,
    `-n ${name} link set eth0 up`,
  ]) {
    await execFileAsync('ip', command.split(' '));
  }
  const { server, lines } = await startServer(name, host.address, host.port);
  return {
    url: `http://${host.address}:${host.port}/`,
    address: host.address,
    /** The lab's own address on the way out: what masqueraded requests come from. */
    uplinkAddress: uplink.address,
    /** What the server saw: `GET /page from 192.0.2.1`. */
    requests: /** @type {readonly string[]} */ (lines),
    async stop() {
      server.kill('SIGKILL');
      await execFileAsync('ip', ['netns', 'delete', name]);
      await execFileAsync('ip', ['link', 'delete', uplink.link]).catch(() => {}); // gone with its peer
    },
  };
}
