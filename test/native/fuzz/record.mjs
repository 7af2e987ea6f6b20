/**
 * Records the corpus from a real kernel: `scripts/lab -- node test/native/fuzz/record.mjs`, with the built addon. Each
 * request of a fuzzer is made once under strace, and its answers become the file `corpus/FUZZER/NAME`.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const corpus = fileURLToPath(new URL('corpus', import.meta.url));
const addon = fileURLToPath(new URL('../../../build/Release/vulcan_net.node', import.meta.url));
const traceFile = '/run/vulcan-record.trace';

const network = {
  ...{ network: 'fuzznet', bridges: ['fz0'], subnets: ['10.9.0.0/24', 'fd00:9::/64'] },
  ...{ gateways: ['10.9.0.1', 'fd00:9::1'], masquerade: true, allowLinkLocal: false, ipv6: true },
  isolated: false,
  hostAccess: [{ protocol: 6, port: 53 }],
};
const port = {
  link: 'fz1',
  bindings: [
    { mac: '02:00:00:00:00:01', ip: '10.9.0.2' },
    { mac: '02:00:00:00:00:01', ip: 'fd00:9::2' },
  ],
};

/** By fuzzer: name, the first byte that chooses the request, and the addon's call that makes it. */
const requests = {
  netlink: [
    ['links', 0, `dump({ kinds: ['links'] })`],
    ['addresses', 1, `dump({ kinds: ['addresses'] })`],
    ['routes', 2, `dump({ kinds: ['routes'] })`],
    ['qdiscs', 3, `dump({ kinds: ['qdiscs'] })`],
    ['filters', 4, `dump({ kinds: ['filters'] })`],
    ['no-link', 5, `linkSet({ name: 'none', up: true })`],
    ['refused', 7, `linkSet({ name: 'fz1', mtu: 4294967295 })`],
  ],
  nft: [
    ['networks', 7, 'firewallList({})'],
    ['guards', 6, 'guardList({})'],
    ['forward', 8, 'foreignChains({})'],
    ['guard', 9, 'guardEnsure({})'],
  ],
};

/** Something of every kind that is read. */
function furnish() {
  const commands = `
    ip link add fz0 type bridge
    ip link add fz1 type veth peer name fz2
    ip link set fz1 master fz0 alias recorded
    ip tuntap add fz3 mode tap user 1234 group 1234
    ip address add 10.9.0.1/24 dev fz0
    ip address add fd00:9::1/64 dev fz0 nodad
    ip link set fz0 up
    ip link set fz1 up
    ip link set fz2 up
    ip route add default via 10.9.0.254
    ip route add 10.10.0.0/16 nexthop via 10.9.0.253 nexthop via 10.9.0.252
    ip route add unreachable 10.11.0.0/16
    tc qdisc add dev fz2 ingress
    tc filter add dev fz2 parent ffff: protocol all u32 match u32 0 0 action mirred egress redirect dev fz3
    nft add table inet other { comment "somebody’s" ; }
    nft add chain inet other forward { type filter hook forward priority 0 ; policy drop ; }
    nft add chain inet other more
    nft add rule inet other forward jump more
    nft add rule inet other more ip saddr 10.0.0.0/8 counter accept
    nft add rule inet other more counter reject`;
  for (const command of commands.trim().split('\n')) {
    const [file, ...args] = command.trim().split(' ');
    execFileSync(file, args, { stdio: 'inherit' });
  }
  for (const call of [
    `firewallEnsure(${JSON.stringify(network)})`,
    'guardEnsure({})',
    `guardAdd(${JSON.stringify(port)})`,
  ]) {
    execFileSync(process.execPath, ['--eval', program(call)], { stdio: 'inherit' });
  }
}

const program = (call) =>
  `require(${JSON.stringify(addon)}).${call}.catch((error) => console.log(error.message))`;

/** What strace shows of the bytes: lines of ` | 00000  4c 00 00 00 ...  text |` below each call. */
function datagrams(trace) {
  const found = [];
  for (const line of trace.split('\n')) {
    if (/\brecv(from|msg)?\(/.test(line)) found.push([]);
    const [, hex] = /^ \| [0-9a-f]+ {2}((?:[0-9a-f]{2} ?| )+) {2}/.exec(line) ?? [];
    if (hex !== undefined)
      found.at(-1)?.push(
        ...hex
          .trim()
          .split(/\s+/)
          .map((byte) => Number.parseInt(byte, 16)),
      );
  }
  return found.filter((bytes) => bytes.length > 0);
}

function record(call) {
  const strace = ['--follow-forks', '--output', traceFile, '--trace=recvfrom,recvmsg', '--read=all'];
  const { status } = spawnSync('strace', [...strace, process.execPath, '--eval', program(call)], {
    stdio: 'inherit',
  });
  if (status !== 0) throw new Error(`${call} could not be recorded`);
  return datagrams(readFileSync(traceFile, 'utf8'));
}

function save(fuzzer, name, bytes) {
  const file = join(corpus, fuzzer, name);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, Uint8Array.from(bytes));
  console.log(`${fuzzer}/${name}: ${bytes.length} bytes`);
}

/** What a runtime gives to the plugin after the first one of a chain, for each version of a result. */
function configurations() {
  const golden = fileURLToPath(new URL('../../golden/versions', import.meta.url));
  return ['0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'].map((cniVersion) => {
    const prevResult = JSON.parse(readFileSync(join(golden, `${cniVersion}.json`), 'utf8'));
    return [cniVersion, 0, JSON.stringify({ cniVersion, name: 'net', type: 'tc-redirect-tap', prevResult })];
  });
}

/** As they are found on hosts; in the order of each fuzzer's first byte. */
const texts = {
  plugin: [
    ...configurations(),
    [
      'arguments',
      1,
      'IgnoreUnknown=1;TC_REDIRECT_TAP_NAME=tap0;TC_REDIRECT_TAP_UID=123;TC_REDIRECT_TAP_GID=456',
    ],
    [
      'environment',
      2,
      'ADD\nvm-1\n/var/run/netns/vulcan-vm-1\neth0\nTC_REDIRECT_TAP_NAME=tap0\n/opt/cni/bin\n',
    ],
  ],
  files: [
    ['claim', 0, '4:4026532281\n'],
    [
      ...['mounts', 1],
      '36 35 98:0 / /run rw,nosuid shared:13 master:1 - tmpfs tmpfs rw,mode=755\n' +
        '37 36 0:4 net:[4026532281] /run/netns/vulcan-vm-1 rw shared:14 - nsfs nsfs rw\n',
    ],
    ['store', 2, 'vm\r\neth0|10.0.0.4|10.0.0.3'],
    ['old-store', 2, 'vm|10.0.0.6|lock'],
  ],
  address: [
    ['ipv4', null, '10.168.0.1/24'],
    ['ipv6', null, 'fd00:9::ffff:10.0.0.1/64'],
    ['runs', 0, '\0\x05\0\x06\0\x07\x01\x06\0\x09\0\x08'],
  ],
};

furnish();
for (const [fuzzer, all] of Object.entries(texts)) {
  for (const [name, first, text] of all)
    save(fuzzer, name, [...(first === null ? [] : [first]), ...Buffer.from(text)]);
}
for (const [fuzzer, all] of Object.entries(requests)) {
  for (const [name, first, call] of all) {
    const answers = record(call);
    const bytes = answers.flatMap((answer) => [answer.length & 0xff, answer.length >> 8, ...answer]);
    save(fuzzer, name, [first, ...bytes]);
  }
}
