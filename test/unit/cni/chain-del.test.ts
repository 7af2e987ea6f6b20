import { describe, expect, it } from 'vitest';
import { Chain } from '../../../lib/cni/chain.ts';
import { parseRecord, runtimeConfOf } from '../../../lib/cni/record.ts';
import { decodeResult } from '../../../lib/cni/result.ts';
import type { AnyResult } from '../../../lib/cni/types.ts';
import { type Answer, FakeRunner, golden, listOf, type Seen } from './fakes.ts';

const target = {
  containerId: 'vm-1',
  netns: '/run/netns/vm-1',
  ifName: 'eth0',
  args: [],
  capabilityArgs: {},
};
const failure: Answer = { exitCode: 1, stdout: '{"code":100,"msg":"broken"}' };

function chainOf(cniVersion: string, answer: (seen: Seen) => Answer = () => '', extra: object = {}) {
  const runner = new FakeRunner(answer);
  const options = { runner, pluginDirs: ['/plugins'], timeoutMs: 1000, environment: {} };
  return { runner, chain: new Chain({ ...listOf(cniVersion, 'first', 'second'), ...extra }, options) };
}

function resultOf(value: object): AnyResult {
  const result = decodeResult(value, '1.0.0');
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}

const result = resultOf({ cniVersion: '1.1.0', interfaces: [{ name: 'tap0', mtu: 1400 }] });
const previousOf = ({ stdin }: Seen) => JSON.parse(stdin).prevResult;

describe('teardown', () => {
  it('runs the plugins in reverse order, with the result in the configuration’s version', async () => {
    const { chain, runner } = chainOf('0.4.0');
    expect(await chain.del(target, result)).toEqual([]);
    expect(runner.order).toEqual(['DEL second', 'DEL first']);
    const previous = { cniVersion: '0.4.0', interfaces: [{ name: 'tap0' }], dns: {} };
    expect(runner.seen.map(previousOf)).toEqual([previous, previous]);
  });

  it('can be done twice, and without a record', async () => {
    const { chain, runner } = chainOf('1.0.0');
    expect(await chain.del(target, result)).toEqual([]);
    expect(await chain.del(target, null)).toEqual([]);
    expect(runner.order).toEqual(['DEL second', 'DEL first', 'DEL second', 'DEL first']);
    expect(runner.seen.slice(2).map(previousOf)).toEqual([undefined, undefined]);
  });

  it('gives no prevResult below 0.4.0', async () => {
    const { chain, runner } = chainOf('0.3.1');
    await chain.del(target, result);
    expect(runner.seen.map(previousOf)).toEqual([undefined, undefined]);
  });

  it('goes on past a failing plugin, and reports all that failed', async () => {
    const { chain, runner } = chainOf('1.0.0', () => failure);
    expect(await chain.del(target, null)).toMatchObject([
      { code: 'ERR_PLUGIN_FAILED', step: 'plugin:second DEL' },
      { code: 'ERR_PLUGIN_FAILED', step: 'plugin:first DEL' },
    ]);
    expect(runner.order).toEqual(['DEL second', 'DEL first']);
  });

  it('goes on past a missing plugin', async () => {
    const { chain, runner } = chainOf('1.0.0');
    runner.missing.add('second');
    expect(await chain.del(target, null)).toMatchObject([{ code: 'ERR_PLUGIN_NOT_FOUND' }]);
    expect(runner.order).toEqual(['DEL first']);
  });

  it('without a proof that anything was added, holds no refused version against a plugin', async () => {
    const refusal: Answer = { exitCode: 1, stdout: '{"code":1,"msg":"incompatible CNI versions"}' };
    const { chain, runner } = chainOf('1.1.0', ({ type }) => (type === 'second' ? refusal : failure));
    expect(await chain.delUnproven(target)).toMatchObject([{ step: 'plugin:first DEL' }]);
    expect(runner.order).toEqual(['DEL second', 'DEL first']);
    for (const prevResult of [result, null]) {
      expect(await chain.del(target, prevResult)).toMatchObject([
        { code: 'ERR_VERSION_UNSUPPORTED', step: 'plugin:second DEL' },
        { step: 'plugin:first DEL' },
      ]);
    }
  });

  it('works without a namespace', async () => {
    const { chain, runner } = chainOf('1.0.0');
    await chain.del({ ...target, netns: '' }, null);
    expect(runner.seen.map(({ env }) => env['CNI_NETNS'])).toEqual(['', '']);
  });

  it('does not look at what plugins print', async () => {
    const { chain } = chainOf('1.0.0', () => 'goodbye');
    expect(await chain.del(target, null)).toEqual([]);
  });
});

describe('CHECK', () => {
  it('runs the plugins in order with the result, and reports what each finds', async () => {
    const { chain, runner } = chainOf('1.0.0', () => failure);
    expect(await chain.check(target, result)).toMatchObject([
      { step: 'plugin:first CHECK' },
      { step: 'plugin:second CHECK' },
    ]);
    expect(runner.seen.map((seen) => previousOf(seen).cniVersion)).toEqual(['1.0.0', '1.0.0']);
  });

  it('exists from 0.4.0 on, also where it is disabled', async () => {
    const { chain } = chainOf('0.3.1', undefined, { disableCheck: true });
    await expect(chain.check(target, null)).rejects.toMatchObject({ code: 'ERR_VERSION_UNSUPPORTED' });
  });

  it('does nothing where it is disabled', async () => {
    const { chain, runner } = chainOf('1.0.0', () => failure, { disableCheck: true });
    expect(await chain.check(target, null)).toEqual([]);
    expect(runner.seen).toEqual([]);
  });
});

describe('STATUS', () => {
  it('has what each plugin says that is not ready', async () => {
    const { chain, runner } = chainOf('1.1.0', () => ({
      exitCode: 1,
      stdout: '{"code":50,"msg":"not yet"}',
    }));
    const errors = await chain.status();
    expect(errors.map(({ code, plugin }) => [code, plugin?.type, plugin?.code])).toEqual(
      ['first', 'second'].map((type) => ['ERR_PLUGIN_FAILED', type, 50]),
    );
    expect(runner.order).toEqual(['STATUS first', 'STATUS second']);
    expect(runner.seen[0]?.env).toMatchObject({
      CNI_CONTAINERID: '',
      CNI_NETNS: '',
      CNI_IFNAME: '',
      CNI_ARGS: '',
    });
  });

  it('asks no one below 1.1.0', async () => {
    const { chain, runner } = chainOf('1.0.0', () => failure);
    expect(await chain.status()).toEqual([]);
    expect(runner.seen).toEqual([]);
  });
});

describe('GC', () => {
  it('tells all plugins what is to stay, going on past failures', async () => {
    const { chain, runner } = chainOf('1.1.0', () => failure);
    expect(await chain.gc([{ containerId: 'vm-1', ifName: 'eth0' }])).toMatchObject([
      { step: 'plugin:first GC' },
      { step: 'plugin:second GC' },
    ]);
    const valid = [{ containerID: 'vm-1', ifname: 'eth0' }];
    const told = { 'cni.dev/valid-attachments': valid, 'cni.dev/attachments': valid };
    expect(runner.seen.map(({ stdin }) => JSON.parse(stdin))).toMatchObject([told, told]);
  });

  it.each([
    ['below 1.1.0', '1.0.0', {}],
    ['where it is disabled', '1.1.0', { disableGc: true }],
  ])('asks no one %s', async (_title, cniVersion, extra) => {
    const { chain, runner } = chainOf(cniVersion, () => failure, extra);
    expect(await chain.gc([])).toEqual([]);
    expect(runner.seen).toEqual([]);
  });

  it('tears a recorded attachment down with what its ADD was told', () => {
    const text = golden('mac/1-after-add/var-lib-cni/results/cnrmac-cnitool-0a30e4aadb6e5e167d22-eth0');
    const record = parseRecord(text, null);
    expect(record.ok && runtimeConfOf(record.value)).toMatchObject({
      netns: '/run/netns/cnrns1',
      args: [
        ['TC_REDIRECT_TAP_NAME', 'cnrtap0'],
        expect.anything(),
        expect.anything(),
        ['IgnoreUnknown', '1'],
      ],
      capabilityArgs: { mac: '02:00:00:00:78:01' },
    });
  });
});
