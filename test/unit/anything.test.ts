import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contains, parseAddress, parseCidr } from '../../lib/address.ts';
import { parseAnyConf, parseConfList, parsePlugin, parseSingleConf } from '../../lib/cni/conflist.ts';
import { outputOf } from '../../lib/cni/outcome.ts';
import { decodeErrorReply, decodeVersionReply, parseJson } from '../../lib/cni/protocol.ts';
import { parseRecord } from '../../lib/cni/record.ts';
import { decodeResult } from '../../lib/cni/result.ts';
import { resolveConfig } from '../../lib/config/manager.ts';
import {
  resolveGc,
  resolveSetup,
  resolveTeardown,
  resolveVerb,
  resolveVmId,
} from '../../lib/config/verbs.ts';
import { AbortError, errorTable, isNetworkError } from '../../lib/errors.ts';
import { anyVersion } from './cni/arbitraries.ts';

/** Whatever comes in, what comes out is a value or one of the errors that are promised; it never depends on luck. */

const anything = fc.anything({
  withBigInt: true,
  withDate: true,
  withMap: true,
  withSet: true,
  withNullPrototype: true,
  withTypedArray: true,
});

/** Options of which each is sometimes right, sometimes anything. */
const almost = (right: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record(
    Object.fromEntries(
      Object.entries(right).map(([key, value]) => [
        key,
        fc.oneof({ weight: 9, arbitrary: value }, { weight: 1, arbitrary: anything }),
      ]),
    ),
    { requiredKeys: [] },
  );

const path = fc.constantFrom('/run/x', '/a/b', 'relative', '', '/..', '/with:colon');
const address = fc.oneof(fc.ipV4(), fc.ipV6());
const subnet = fc.tuple(address, fc.nat(128)).map((parts) => parts.join('/'));
const managerOptions = almost({
  network: fc.constantFrom('fcnet', 'a', '.', 'a/b', 'x'.repeat(300)),
  backend: fc.constantFrom('cni', 'native', 'other'),
  bridge: fc.constantFrom('br0', 'a b', 'x'.repeat(16), ''),
  subnet,
  gateway: address,
  mtu: fc.integer({ min: -1, max: 70_000 }),
  dns: almost({ nameservers: fc.array(address), domain: fc.string(), search: fc.array(fc.string()) }),
  routes: fc.array(almost({ destination: subnet, gateway: fc.option(address) })),
  confDir: path,
  addressDir: path,
  pluginDirs: fc.array(path),
  stateDir: path,
  netnsDir: path,
  ifName: fc.constantFrom('eth0', 'lo', 'tap0', ''),
  hostAccess: fc.oneof(
    fc.constant('all'),
    fc.array(almost({ protocol: fc.constantFrom('tcp', 'udp', 'icmp'), port: fc.integer() })),
  ),
  signals: fc.array(fc.constantFrom('SIGTERM', 'SIGKILL')),
  timeoutMs: fc.integer(),
});
const setupOptions = almost({
  mac: fc.constantFrom('02:00:00:00:00:01', '02-00-00-00-00-01', '01:00:00:00:00:00', ''),
  tapName: fc.constantFrom('tap0', 'eth0', 'lo', 'x'.repeat(16)),
  tapOwner: almost({ uid: fc.integer(), gid: fc.integer() }),
  containerId: fc.constantFrom('vm', '.', 'a/b', ''),
  timeoutMs: fc.integer(),
});

/** What the call returned; undefined after an error that is one of those that are promised. */
function promised<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch (error) {
    if (error instanceof TypeError) {
      expect(error.message).not.toMatch(/is not a function|Cannot (read|convert|access|destructure)/);
    } else {
      expect(isNetworkError(error) || error instanceof AbortError, String(error)).toBe(true);
      if (isNetworkError(error)) expect(Object.keys(errorTable)).toContain(error.code);
    }
    return undefined;
  }
}

const json = fc.oneof(fc.json(), fc.string());

describe('whatever a user gives', () => {
  it('options are settings, or an error with a code, or a TypeError', () => {
    fc.assert(
      fc.property(fc.oneof(anything, managerOptions), (options) => {
        const config = promised(() => resolveConfig(options));
        if (config?.source.kind !== 'generated') return;
        const { subnet: text, gateway } = config.source;
        const network = parseCidr(text);
        const inside = parseAddress(gateway);
        expect(network !== null && inside !== null && contains(network, inside)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('options of the verbs are, too', () => {
    fc.assert(
      fc.property(fc.oneof(anything, setupOptions), (options) => {
        promised(() => resolveSetup(options, 'vm', 'eth0'));
        promised(() => resolveTeardown(options));
        promised(() => resolveVerb(options));
        promised(() => resolveGc(options));
      }),
      { numRuns: 500 },
    );
  });

  it('a vmId is one if and only if it looks like one', () => {
    const almostIds = fc.stringMatching(/^[A-Za-z0-9_.\-/ ]{0,70}$/);
    fc.assert(
      fc.property(fc.oneof(anything, almostIds), (vmId) => {
        const isVmId = typeof vmId === 'string' && /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/.test(vmId);
        expect(promised(() => resolveVmId(vmId))).toBe(isVmId ? vmId : undefined);
      }),
    );
  });

  it('a configuration is a list with a valid name, or an error with a code', () => {
    const almostList = almost({
      name: fc.constantFrom('net', '', 'a/b'),
      cniVersion: fc.oneof(anyVersion, fc.string()),
      cniVersions: fc.array(anyVersion),
      plugins: fc.array(almost({ type: fc.constantFrom('bridge', '../x', ''), ipam: anything })),
    }).map((value) => promisedText(value));
    fc.assert(
      fc.property(fc.oneof(json, almostList), (text) => {
        for (const parse of [parseConfList, parseAnyConf, parseSingleConf]) {
          const list = promised(() => parse(text, 'a.conflist'));
          if (list !== undefined) expect(list.name).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/);
        }
        const plugin = promised(() => parsePlugin(text, 'a.conf'));
        if (plugin !== undefined) expect(plugin.type).not.toMatch(/[/\0]/);
      }),
      { numRuns: 500 },
    );
  });
});

/** As JSON, of what has any. */
function promisedText(value: unknown): string {
  try {
    return JSON.stringify(value) ?? '';
  } catch {
    return '';
  }
}

describe('whatever a plugin or another runtime gives', () => {
  it('a result, a reply or a record is decoded, or it is said what is wrong', () => {
    fc.assert(
      fc.property(json, anyVersion, (text, version) => {
        const parsed = parseJson(text);
        const decoded = [
          parseRecord(text, null),
          ...(parsed.ok
            ? [
                decodeResult(parsed.value, version),
                decodeErrorReply(parsed.value),
                decodeVersionReply(parsed.value),
              ]
            : [parsed]),
        ];
        for (const one of decoded) if (!one.ok) expect(one.problem).not.toBe('');
      }),
    );
  });

  it('its end is output, or an error with a code', () => {
    const end = fc.record({
      exitCode: fc.option(fc.nat(255)),
      signal: fc.option(fc.constant('SIGSEGV')),
      stdout: json,
      stderr: fc.string(),
      timedOut: fc.boolean(),
      cancelled: fc.boolean(),
      stdoutOverflow: fc.boolean(),
      durationMs: fc.double({ min: 0, noNaN: true }),
    });
    fc.assert(
      fc.property(end, (result) => {
        const output = promised(() => outputOf({ type: 'bridge', command: 'ADD' }, result));
        const good = result.exitCode === 0 && result.signal === null;
        const cut = result.timedOut || result.cancelled || result.stdoutOverflow;
        expect(output).toBe(good && !cut ? result.stdout : undefined);
      }),
    );
  });
});
