/** The main job on real input, inside a lab: `scripts/quickstart` installs, builds and starts it. */
import { kernelIpArgument, NetworkManager } from '../dist/index.js';
import { median } from '../test/bench/stats.mjs';
import { canonicalDump } from '../test/support/dump.mjs';
import { bootGuest } from '../test/support/guest.mjs';
import { startOutside } from '../test/support/outside.mjs';

/** What does the work behind each backend. */
const backends = {
  cni: 'the CNI plugins bridge, host-local and tc-redirect-tap',
  native: 'netlink and nftables, no process started',
};
const TIMED_VMS = 10;

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

async function milliseconds(work) {
  const began = performance.now();
  await work();
  return performance.now() - began;
}

/** Medians of some VMs, one after another. @param {NetworkManager} manager */
async function timesOf(manager) {
  const [setup, teardown] = [[], []];
  for (let vm = 1; vm <= TIMED_VMS; vm++) {
    setup.push(await milliseconds(() => manager.setup(`timed-${vm}`)));
    teardown.push(await milliseconds(() => manager.teardown(`timed-${vm}`)));
  }
  const shown = (samples) => `${median(samples).toFixed(2)} ms`;
  return { [`setup, median of ${TIMED_VMS}`]: shown(setup), teardown: shown(teardown) };
}

/** A VM from its setup to its teardown, with a guest that talks. */
async function tryBackend(backend, outside) {
  console.log(`\nA VM gets its network by ${backends[backend]}`);
  const before = await canonicalDump();
  const manager = await step(`NetworkManager.open({ backend: '${backend}' })`, () =>
    NetworkManager.open({ backend, network: 'fcnet', verify: 'throw' }),
  );
  const net = await step("manager.setup('vm-1')", () => manager.setup('vm-1'));
  const { result: _cniResult, ...config } = net;
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
  await step("manager.teardown('vm-1', { wait: true })", () => manager.teardown('vm-1', { wait: true }));
  const times = await step(`${TIMED_VMS} more VMs, for their times`, () => timesOf(manager));
  await step('manager.removeNetwork()', () => manager.removeNetwork());
  await step('manager.close()', () => manager.close());
  const after = await step('the lab is compared with how it was', () => canonicalDump({ expected: before }));

  const left = differences(before, after);
  if (left.length > 0) throw new Error(`something is left:\n${left.join('\n')}`);
  const lines = before.trim().split('\n').length;
  console.log(`
  Nothing is left: links, addresses, routes, qdiscs, filters, bridge ports, nftables, namespaces and files are as they
  were before (${lines} lines of canonical dump, the same ${lines} after).`);
  const plain = Object.entries(config).filter(([, value]) => typeof value !== 'object');
  return { ...times, ...Object.fromEntries(plain) };
}

/** @param {Record<string, Record<string, unknown>>} columns by title; all have the same keys */
function printSideBySide(columns) {
  const titles = Object.keys(columns);
  const keys = Object.keys(columns[titles[0]]);
  const rows = keys.map((key) => [key, ...titles.map((title) => String(columns[title][key]))]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length)));
  for (const row of [['', ...titles], ...rows]) {
    console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
  }
}

console.log('A lab for it');
const outside = await step('a web server beyond the host, without a route back', startOutside);
/** @type {Record<string, Record<string, unknown>>} */
const tried = {};
for (const backend of Object.keys(backends)) tried[backend] = await tryBackend(backend, outside);
await outside.stop();
console.log('\nSide by side\n');
printSideBySide(tried);
