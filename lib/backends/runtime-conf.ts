import { contains, parseAddress, parseCidr } from '../address.ts';
import { withOwnArgs } from '../cni/environment.ts';
import type { RuntimeConf } from '../cni/types.ts';
import { NetworkError } from '../errors.ts';
import type { AttachRequest } from './backend.ts';
import type { Network } from './network.ts';
import type { Runtime } from './runtime.ts';

/** Throws ERR_OPTION_INVALID where the network has no such address. */
function withPrefix({ name, firewall }: Network, text: string): string {
  const address = parseAddress(text);
  const subnets = firewall.subnets.map(parseCidr);
  const subnet = subnets.find((cidr) => cidr !== null && address !== null && contains(cidr, address));
  if (subnet) return `${text}/${subnet.prefixLength}`;
  const message = `address ${text} is in no subnet of network ${name} (${firewall.subnets.join(', ')})`;
  throw new NetworkError('ERR_OPTION_INVALID', message, { network: name });
}

/** What plugins are told of a setup, and its record keeps: by capabilities where a plugin has them, else by CNI_ARGS. */
export function runtimeConf(runtime: Runtime, request: AttachRequest): RuntimeConf {
  const { vmId, containerId, mac, address, tapName, tapOwner } = request;
  const { config, network, anchors } = runtime;
  const can = (name: string) => network.list.plugins.some(({ capabilities }) => capabilities.includes(name));
  const cidr = address === null ? null : withPrefix(network, address);
  const args: readonly (readonly [string, string])[] = [
    ['TC_REDIRECT_TAP_NAME', tapName],
    ['TC_REDIRECT_TAP_UID', String(tapOwner.uid)],
    ['TC_REDIRECT_TAP_GID', String(tapOwner.gid)],
    ...(mac === null || can('mac') ? [] : [['MAC', mac] as const]),
    ...(address === null || can('ips') ? [] : [['IP', address] as const]),
  ];
  return {
    ...{ containerId, netns: anchors.pathOf(vmId), ifName: config.ifName },
    args: withOwnArgs(args, []),
    capabilityArgs: {
      ...(mac !== null && can('mac') ? { mac } : {}),
      ...(cidr !== null && can('ips') ? { ips: [cidr] } : {}),
    },
  };
}
