import { writeFile } from 'node:fs/promises';
import { beforeEach, describe, expect, it } from 'vitest';
import { resetLab } from '../support/lab.ts';
import { requires } from '../support/require.ts';
import {
  addSandbox,
  config,
  type Invocation,
  invoke,
  leftovers,
  nothingLeft,
  ours,
  prevResult,
  tapPlugins,
} from './plugin-lab.ts';
import { readGolden } from './plugin-state.ts';

interface Case extends Invocation {
  readonly golden: string;
}

/** What was given to the plugins when `test/golden/errors` was captured; those that are about any plugin. */
const goldenCases: readonly Case[] = [
  {
    golden: 'noargs',
    command: 'ADD',
    env: { CNI_CONTAINERID: undefined, CNI_NETNS: undefined, CNI_IFNAME: undefined },
  },
  { golden: 'badcmd', command: 'FOO' },
  { golden: 'badid', command: 'ADD', env: { CNI_CONTAINERID: '-x' } },
  { golden: 'badname', command: 'ADD', stdin: config({ name: '..' }) },
  { golden: 'badjson', command: 'ADD', stdin: '{' },
  { golden: 'tap-noprev', command: 'ADD', stdin: config({}) },
  { golden: 'tap-del-nonetns', command: 'DEL', env: { CNI_NETNS: '/run/netns/nosuch' } },
  { golden: 'hl-status10', command: 'STATUS' },
  { golden: 'hl-status11', command: 'STATUS', stdin: config({ cniVersion: '1.1.0' }) },
  { golden: 'hl-gc11', command: 'GC', stdin: config({ cniVersion: '1.1.0' }) },
];

const badResult = (fields: object) => config({ prevResult: { ...prevResult, ...fields } });
const error = (code: number, msg: string, details?: string) => ({
  code,
  msg,
  ...(details === undefined ? {} : { details }),
});
const parsing =
  'failure parsing previous CNI result: failed to parse previous CNI result: could not parse prevResult: ';

/** Errors that golden does not have; the texts are the original's. */
const otherCases: readonly (Invocation & { readonly title: string; readonly error: object })[] = [
  {
    title: 'a namespace that is not there',
    command: 'ADD',
    env: { CNI_NETNS: '/run/netns/nosuch' },
    error: error(999, 'netns path "/run/netns/nosuch" does not exist'),
  },
  {
    title: 'a file that is no namespace',
    command: 'DEL',
    env: { CNI_NETNS: '/run/plain' },
    error: error(999, 'failed to open netns at path "/run/plain": unknown FS magic on "/run/plain": 1021994'),
  },
  {
    title: 'a link that is not there',
    command: 'ADD',
    env: { CNI_IFNAME: 'eth7' },
    error: error(
      999,
      'failed to find redirect interface "eth7": did not find expected network device with name "eth7"',
    ),
  },
  {
    title: 'an interface name that is too long',
    command: 'ADD',
    env: { CNI_IFNAME: 'a'.repeat(16) },
    error: error(4, 'interface name is too long', 'interface name should be less than 16 characters'),
  },
  {
    title: 'an interface name with a slash',
    command: 'CHECK',
    env: { CNI_IFNAME: 'a/b' },
    error: error(4, 'interface name contains / or : or whitespace characters'),
  },
  {
    title: 'an argument without a value',
    command: 'ADD',
    env: { CNI_ARGS: 'A=b;X' },
    error: error(999, 'Invalid cni arguments format, "X"'),
  },
  {
    title: 'a uid that is no number',
    command: 'ADD',
    env: { CNI_ARGS: 'TC_REDIRECT_TAP_UID=x' },
    error: error(
      999,
      'tapUID should be numeric convertible, got "x": strconv.Atoi: parsing "x": invalid syntax',
    ),
  },
  {
    title: 'CHECK before 0.4.0',
    command: 'CHECK',
    stdin: config({ cniVersion: '0.3.1', prevResult }),
    error: error(1, 'config version does not allow CHECK'),
  },
  {
    title: 'GC before 1.1.0',
    command: 'GC',
    error: error(1, 'config version does not allow GC'),
  },
  {
    title: 'CHECK of a version from the future',
    command: 'CHECK',
    stdin: config({ cniVersion: '1.2.0', prevResult }),
    error: error(1, 'plugin version does not allow CHECK'),
  },
  {
    title: 'a version that is none',
    command: 'STATUS',
    stdin: config({ cniVersion: 'abc' }),
    error: error(
      6,
      'failed to convert major version part "abc": strconv.Atoi: parsing "abc": invalid syntax',
    ),
  },
  {
    title: 'an unsupported version',
    command: 'ADD',
    stdin: config({ cniVersion: '9.9.9', prevResult }),
    error: error(
      1,
      'incompatible CNI versions',
      'config is "9.9.9", plugin supports ["0.3.0" "0.3.1" "0.4.0" "1.0.0" "1.1.0"]',
    ),
  },
  {
    title: 'an address without a prefix length',
    command: 'ADD',
    stdin: badResult({ ips: [{ address: '10.0.0.2' }] }),
    error: error(999, `${parsing}invalid CIDR address: 10.0.0.2`),
  },
  {
    title: 'a gateway that is none',
    command: 'ADD',
    stdin: badResult({ ips: [{ address: '10.0.0.2/24', gateway: 'x' }] }),
    error: error(999, `${parsing}invalid IP address: x`),
  },
  {
    title: 'CHECK of a result without the VM',
    command: 'CHECK',
    error: error(
      999,
      'did not find expected network device with name "pseudo-device for cnitool-0a30e4aadb6e5e167d22"',
    ),
  },
];

/** Where the original is weak: it goes wrong, or goes on. */
const ourCases: readonly (Invocation & { readonly title: string; readonly error: object })[] = [
  {
    title: "ADD in the plugin's own namespace, before any work",
    command: 'ADD',
    env: { CNI_NETNS: '/proc/self/ns/net' },
    error: error(8, "plugin's netns and netns from CNI_NETNS should not be the same"),
  },
  {
    title: "DEL in the plugin's own namespace, before any work",
    command: 'DEL',
    env: { CNI_NETNS: '/proc/self/ns/net' },
    error: error(8, "plugin's netns and netns from CNI_NETNS should not be the same"),
  },
  {
    title: 'a TAP name that is too long',
    command: 'ADD',
    env: { CNI_ARGS: `TC_REDIRECT_TAP_NAME=${'t'.repeat(16)}` },
    error: error(
      999,
      `TC_REDIRECT_TAP_NAME "${'t'.repeat(16)}" is too long`,
      'interface name should be less than 16 characters',
    ),
  },
  {
    title: "an owner of 'no one'",
    command: 'ADD',
    env: { CNI_ARGS: 'TC_REDIRECT_TAP_UID=4294967295' },
    error: error(
      999,
      'tapUID should be numeric convertible, got "4294967295": strconv.Atoi: parsing "4294967295": invalid syntax',
    ),
  },
  {
    title: 'an address of an interface that is not there',
    command: 'ADD',
    stdin: badResult({ ips: [{ address: '10.0.0.2/24', interface: 5 }] }),
    error: error(999, `${parsing}ips has an interface 5 of 1`),
  },
  {
    title: 'a TAP name that is taken',
    command: 'ADD',
    env: { CNI_ARGS: 'TC_REDIRECT_TAP_NAME=peer0' },
    error: error(999, `failed to redirect "eth0" to a TAP: EEXIST: File exists, ioctl(TUNSETIFF) 'peer0'`),
  },
];

describe('the errors of tc-redirect-tap', () => {
  beforeEach(async (context) => {
    requires(context, 'tun');
    await resetLab();
    await addSandbox();
    await writeFile('/run/plain', '');
  });

  describe.each(tapPlugins)('$title', (plugin) => {
    it.each(goldenCases)('$golden', async ({ golden, ...invocation }) => {
      const stdout = await readGolden(`errors/${golden}.out`);
      const outcome = await invoke(plugin, { stdin: config(), ...invocation });
      expect(outcome).toEqual({ exitCode: stdout === '' ? 0 : 1, stdout, stderr: '' });
      expect(await leftovers()).toEqual(nothingLeft);
    });

    it.each(otherCases)('$title', async ({ title: _, error: expected, ...invocation }) => {
      const { exitCode, stdout } = await invoke(plugin, invocation);
      expect(JSON.parse(stdout)).toEqual(expected);
      expect(exitCode).toBe(1);
      expect(await leftovers()).toEqual(nothingLeft);
    });
  });

  it.each(ourCases)('ours refuses $title', async ({ title: _, error: expected, ...invocation }) => {
    const { exitCode, stdout } = await invoke(ours, invocation);
    expect(JSON.parse(stdout)).toEqual(expected);
    expect(exitCode).toBe(1);
    expect(await leftovers()).toEqual(nothingLeft);
  });
});
