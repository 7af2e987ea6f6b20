import { withOwnArgs } from '../cni/environment.ts';
import type { RuntimeConf } from '../cni/types.ts';
import type { AttachRequest } from './backend.ts';
import type { Runtime } from './runtime.ts';

/** What plugins are told of a setup, and its record keeps. The MAC goes by the capability where a plugin has it, and by CNI_ARGS where none does. */
export function runtimeConf(runtime: Runtime, request: AttachRequest): RuntimeConf {
  const { vmId, containerId, mac, tapName, tapOwner } = request;
  const { config, network, anchors } = runtime;
  const capable = network.list.plugins.some(({ capabilities }) => capabilities.includes('mac'));
  const args: readonly (readonly [string, string])[] = [
    ['TC_REDIRECT_TAP_NAME', tapName],
    ['TC_REDIRECT_TAP_UID', String(tapOwner.uid)],
    ['TC_REDIRECT_TAP_GID', String(tapOwner.gid)],
    ...(mac === null || capable ? [] : [['MAC', mac] as const]),
  ];
  return {
    ...{ containerId, netns: anchors.pathOf(vmId), ifName: config.ifName },
    args: withOwnArgs(args, []),
    capabilityArgs: mac !== null && capable ? { mac } : {},
  };
}
