import { describe, expect, it } from 'vitest';
import {
  assertArgs,
  noAttachment,
  pluginEnvironment,
  versionEnvironment,
  withOwnArgs,
} from '../../../lib/cni/environment.ts';
import type { CniArg } from '../../../lib/cni/types.ts';

const target = {
  containerId: 'id',
  netns: '/run/netns/x',
  ifName: 'eth0',
  args: [
    ['B', '2'],
    ['A', '1=1'],
  ] as const,
  capabilityArgs: {},
};

describe('pluginEnvironment', () => {
  it('sets the six variables over those that are inherited, arguments in the order given', () => {
    const inherited = { PATH: '/bin', CNI_COMMAND: 'DEL', CNI_ARGS: 'X=1', UNSET: undefined };
    expect([...pluginEnvironment('ADD', target, ['/a', '/b'], inherited)].sort()).toEqual([
      'CNI_ARGS=B=2;A=1=1',
      'CNI_COMMAND=ADD',
      'CNI_CONTAINERID=id',
      'CNI_IFNAME=eth0',
      'CNI_NETNS=/run/netns/x',
      'CNI_PATH=/a:/b',
      'PATH=/bin',
    ]);
  });

  it('sets them even where there is nothing to say', () => {
    expect(pluginEnvironment('GC', noAttachment, ['/a'], { CNI_NETNS: '/old' })).toEqual([
      'CNI_NETNS=',
      'CNI_COMMAND=GC',
      'CNI_CONTAINERID=',
      'CNI_ARGS=',
      'CNI_IFNAME=',
      'CNI_PATH=/a',
    ]);
  });

  it('has dummies for VERSION', () => {
    expect(versionEnvironment({})).toEqual([
      'CNI_COMMAND=VERSION',
      'CNI_CONTAINERID=',
      'CNI_NETNS=dummy',
      'CNI_ARGS=',
      'CNI_IFNAME=dummy',
      'CNI_PATH=dummy',
    ]);
  });
});

const argsText = (args: readonly CniArg[]) =>
  pluginEnvironment('ADD', { ...target, args }, [], {}).find((pair) => pair.startsWith('CNI_ARGS='));

describe('CNI_ARGS', () => {
  const own: readonly CniArg[] = [['TC_REDIRECT_TAP_NAME', 'tap7']];

  it('asks to ignore unknown keys whenever there are some of our own', () => {
    expect(argsText(withOwnArgs(own, []))).toBe('CNI_ARGS=TC_REDIRECT_TAP_NAME=tap7;IgnoreUnknown=1');
    expect(argsText(withOwnArgs(own, [['MAC', 'x']]))).toBe(
      'CNI_ARGS=TC_REDIRECT_TAP_NAME=tap7;MAC=x;IgnoreUnknown=1',
    );
  });

  it('leaves the user’s arguments alone otherwise, and his word about unknown keys always', () => {
    expect(argsText(withOwnArgs([], [['MAC', 'x']]))).toBe('CNI_ARGS=MAC=x');
    expect(argsText(withOwnArgs(own, [['IgnoreUnknown', '0']]))).toBe(
      'CNI_ARGS=TC_REDIRECT_TAP_NAME=tap7;IgnoreUnknown=0',
    );
  });

  it.each([
    ['', 'x'],
    ['A=B', 'x'],
    ['A;B', 'x'],
    ['A', 'x;B=1'],
    ['A', 'x\0'],
  ])('refuses %j = %j', (key, value) => {
    expect(() => assertArgs([[key, value]])).toThrowError(
      expect.objectContaining({ code: 'ERR_OPTION_INVALID' }),
    );
  });
});
