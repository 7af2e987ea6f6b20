import { contains, parseAddress, parseCidr } from '../../address.ts';
import { withOwnArgs } from '../../cni/environment.ts';
import { isJsonObject } from '../../cni/json.ts';
import type { CniArg, RuntimeConf } from '../../cni/types.ts';
import { NetworkError } from '../../errors.ts';
import type { TapOwner } from '../../types.ts';
import type { Network } from '../network/network.ts';
import { objects, text } from '../network/plugin-conf.ts';
import type { Runtime } from '../network/runtime.ts';
import type { AttachRequest } from './request.ts';

const tapNameArg = 'TC_REDIRECT_TAP_NAME';
const uidArg = 'TC_REDIRECT_TAP_UID';
const gidArg = 'TC_REDIRECT_TAP_GID';

/** The plugin `static` takes addresses with their prefix alone: the subnets are those of the ones that it has. */
function subnetsOf({ firewall, list }: Network): readonly string[] {
  const ipams = list.plugins.map(({ raw }) => raw['ipam']).filter(isJsonObject);
  const given = ipams.flatMap((ipam) => objects(ipam['addresses']).map(({ address }) => text(address) ?? ''));
  return [...firewall.subnets, ...given];
}

/** Throws ERR_OPTION_INVALID where the network has no such address. */
function withPrefix(network: Network, address: string): string {
  const subnets = subnetsOf(network);
  const asked = parseAddress(address);
  const cidrs = subnets.map(parseCidr);
  const subnet = cidrs.find((cidr) => cidr !== null && asked !== null && contains(cidr, asked));
  if (subnet) return `${address}/${subnet.prefixLength}`;
  const { name } = network;
  const message =
    subnets.length > 0
      ? `address ${address} is in no subnet of network ${name} (${subnets.join(', ')})`
      : `the prefix of address ${address} is not known: network ${name} has no subnet; give its "ipam" one, or "addresses": [{ "address": "${address}/<prefix>" }]`;
  throw new NetworkError('ERR_OPTION_INVALID', message, { step: 'arguments', network: name });
}

/** A setup as plugins are told of it: in text. */
export type ConfRequest = Omit<AttachRequest, 'tapOwner'> & {
  readonly tapOwner: { readonly uid: number | string; readonly gid: number | string };
};

/** What plugins are told of a setup, and its record keeps: by capabilities where a plugin has them, else by CNI_ARGS. */
export function runtimeConf(runtime: Runtime, request: ConfRequest): RuntimeConf {
  const { vmId, containerId, mac, address, tapName, tapOwner } = request;
  const { config, network, anchors } = runtime;
  const can = (name: string) => network.list.plugins.some(({ capabilities }) => capabilities.includes(name));
  const cidr = address === null ? null : withPrefix(network, address);
  const args: readonly CniArg[] = [
    [tapNameArg, tapName],
    [uidArg, String(tapOwner.uid)],
    [gidArg, String(tapOwner.gid)],
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

/** `null` where the record does not say it. */
export function recordedOwner({ args }: Pick<RuntimeConf, 'args'>): TapOwner | null {
  const value = (wanted: string) => Number(args.find(([key]) => key === wanted)?.[1] ?? Number.NaN);
  const [uid, gid] = [value(uidArg), value(gidArg)];
  return Number.isInteger(uid) && Number.isInteger(gid) ? { uid, gid } : null;
}
