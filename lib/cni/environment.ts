import { NetworkError } from '../errors.ts';
import type { CniArg, Command, RuntimeConf } from './types.ts';

/** The six variables through which a plugin learns what to do, on top of the environment of this process. */

export type Environment = Readonly<Record<string, string | undefined>>;

/** What GC and STATUS, which are about the whole network, are told instead of an attachment. */
export const noAttachment: RuntimeConf = {
  containerId: '',
  netns: '',
  ifName: '',
  args: [],
  capabilityArgs: {},
};

const ignoreUnknown: CniArg = ['IgnoreUnknown', '1'];

/**
 * Arguments with keys of our own among them. Plugins refuse keys that they don't know unless told to ignore them, so
 * IgnoreUnknown=1 comes along unless the user has decided about it.
 */
export function withOwnArgs(own: readonly CniArg[], users: readonly CniArg[]): readonly CniArg[] {
  const decided = users.some(([key]) => key === ignoreUnknown[0]);
  return own.length === 0 || decided ? [...own, ...users] : [...own, ...users, ignoreUnknown];
}

/** What the user gives must survive the way through one variable. */
export function assertArgs(args: readonly CniArg[]): void {
  for (const [key, value] of args) {
    if (/^[^=;\0]+$/.test(key) && !/[;\0]/.test(value)) continue;
    const pair = JSON.stringify(`${key}=${value}`);
    throw new NetworkError(
      'ERR_OPTION_INVALID',
      `CNI argument ${pair} has a character that CNI_ARGS uses itself`,
    );
  }
}

/** `K=V;K2=V2`, in the order given. */
function argsText(args: readonly CniArg[]): string {
  return args.map(([key, value]) => `${key}=${value}`).join(';');
}

function merged(inherited: Environment, variables: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries({ ...inherited, ...variables }).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${value}`],
  );
}

export function pluginEnvironment(
  command: Exclude<Command, 'VERSION'>,
  { containerId, netns, ifName, args }: RuntimeConf,
  pluginDirs: readonly string[],
  inherited: Environment,
): readonly string[] {
  return merged(inherited, {
    CNI_COMMAND: command,
    CNI_CONTAINERID: containerId,
    CNI_NETNS: netns,
    CNI_ARGS: argsText(args),
    CNI_IFNAME: ifName,
    CNI_PATH: pluginDirs.join(':'),
  });
}

/** Plugins built on an old skeleton want these variables even for VERSION, and don't look at them. */
export function versionEnvironment(inherited: Environment): readonly string[] {
  return merged(inherited, {
    CNI_COMMAND: 'VERSION',
    CNI_CONTAINERID: '',
    CNI_NETNS: 'dummy',
    CNI_ARGS: '',
    CNI_IFNAME: 'dummy',
    CNI_PATH: 'dummy',
  });
}
