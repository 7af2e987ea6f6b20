/** The main job on real input, inside a lab: `scripts/quickstart` installs, builds and starts it. */
import { kernelIpArgument, NetworkManager } from '../dist/index.js';
import { canonicalDump } from '../test/support/dump.mjs';
import { bootGuest } from '../test/support/guest.mjs';
import { startOutside } from '../test/support/outside.mjs';

const indented = (text) => text.trim().replace(/^/gm, '      ');

/** Runs one step and prints its line. @template T @param {string} label @param {() => Promise<T>} work */
async function step(label, work) {
  const began = performance.now();
  const result = await work();
  const seconds = ((performance.now() - began) / 1000).toFixed(3).padStart(8);
  console.log(`  ok ${seconds} s  ${label}`);
  return result;
}

/** One command in the guest, shown with what its console said. @param {import('../test/support/guest.mjs').Guest} guest */
async function ask(guest, command) {
  const { exitCode, output } = await step(`the guest: ${command}`, () => guest.run(command));
  console.log(indented(output));
  if (exitCode !== 0) throw new Error(`the guest's command failed with ${exitCode}`);
}

/** @param {string} before @param {string} after */
function differences(before, after) {
  const [was, is] = [before.split('\n'), after.split('\n')];
  return [
    ...was.filter((line) => !is.includes(line)).map((line) => `- ${line}`),
    ...is.filter((line) => !was.includes(line)).map((line) => `+ ${line}`),
  ];
}

console.log('A VM gets its network: bridge -> tc-redirect-tap');
const outside = await step('a web server beyond the host, without a route back', startOutside);
const before = await canonicalDump();
const manager = await step('NetworkManager.open({ backend: "cni" })', () =>
  NetworkManager.open({ backend: 'cni', network: 'fcnet', verify: 'throw' }),
);
const net = await step('manager.setup("vm-1")', () => manager.setup('vm-1'));
const { result, ...config } = net;
console.log(indented(`NetworkConfig ${JSON.stringify(config, null, 2)}`));

const guest = await step(`a guest boots on ${net.tapName} (QEMU, software emulation)`, () =>
  bootGuest(net, { ipParameter: kernelIpArgument(net) }),
);
await ask(guest, 'ip address show eth0');
await ask(guest, `ping -c 3 ${net.gatewayIp}`);
await ask(guest, `wget -q -O - ${outside.url}hello`);
const seen = outside.requests.at(-1);
console.log(`      the server saw: ${seen}`);
if (!seen?.endsWith(`from ${outside.uplinkAddress}`)) throw new Error('the request was not masqueraded');

await step('the guest is switched off', () => guest.kill());
await step('manager.teardown("vm-1", { wait: true })', () => manager.teardown('vm-1', { wait: true }));
await step('manager.removeNetwork()', () => manager.removeNetwork());
await step('manager.close()', () => manager.close());
const after = await step('the lab is compared with how it was', () => canonicalDump({ expected: before }));
await outside.stop();

const left = differences(before, after);
if (left.length > 0) throw new Error(`something is left:\n${left.join('\n')}`);
const lines = before.trim().split('\n').length;
console.log(`
Nothing is left: links, addresses, routes, qdiscs, filters, bridge ports, nftables, namespaces and files are as they
were before (${lines} lines of canonical dump, the same ${lines} after).`);
