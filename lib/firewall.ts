import { type ErrorCode, NetworkError, withRemedy } from './errors.ts';
import type { FirewallNetwork } from './native/engine.ts';
import type { NativeError } from './native/error.ts';
import type { HostAccessRule } from './types.ts';

/** What the configuration of a network says about who may speak to whom. */
export interface FirewallPolicy {
  readonly network: string;
  readonly bridges: readonly string[];
  /** The group of links that are no bridge's ports. */
  readonly linkGroup?: number;
  /** CIDR; `gateway` is the host's address in it, or `null`. */
  readonly subnets: readonly { readonly subnet: string; readonly gateway: string | null }[];
  readonly masquerade: boolean;
  readonly isolated: boolean;
  readonly allowLinkLocal: boolean;
  readonly hostAccess: 'all' | readonly HostAccessRule[];
}

/** As IANA numbers them, and the kernel's headers. */
export const protocolNumbers = { tcp: 6, udp: 17 } as const satisfies Record<
  HostAccessRule['protocol'],
  number
>;

const isIpv6 = (subnet: string): boolean => subnet.includes(':');

/** The plan for `firewallEnsure`: guests speak IPv6 only where the network has a subnet of it. */
export function firewallNetwork(policy: FirewallPolicy): FirewallNetwork {
  const { network, bridges, linkGroup, masquerade, allowLinkLocal, isolated, hostAccess } = policy;
  const subnets = policy.subnets.map(({ subnet }) => subnet);
  return {
    network,
    bridges,
    ...(linkGroup === undefined ? {} : { group: linkGroup }),
    subnets,
    gateways: policy.subnets.flatMap(({ gateway }) => (gateway === null ? [] : [gateway])),
    masquerade,
    allowLinkLocal,
    ipv6: subnets.some(isIpv6),
    isolated,
    hostAccess:
      hostAccess === 'all'
        ? 'all'
        : hostAccess.map(({ protocol, port }) => ({ protocol: protocolNumbers[protocol], port })),
  };
}

/** The public error for what `firewallEnsure`, `firewallRemove` or `firewallList` rejected with. */
export function firewallError(network: string, error: NativeError): NetworkError {
  const { errno, syscall, kernelMessage } = error;
  const code = codeOf(error);
  return new NetworkError(code, withRemedy(code, `firewall of network ${network}: ${error.message}`), {
    network,
    step: 'firewall',
    errno,
    syscall,
    cause: error,
    ...(kernelMessage === undefined ? {} : { kernelMessage }),
  });
}

function codeOf({ code, reason, path }: NativeError): ErrorCode {
  // The path of a conflict is the subnet in CIDR form, or the bridge.
  if (reason === 'network-conflict') {
    return path?.includes('/') === true ? 'ERR_SUBNET_CONFLICT' : 'ERR_BRIDGE_CONFLICT';
  }
  return code === 'EPERM' || code === 'EACCES' ? 'ERR_PERMISSION' : 'ERR_FIREWALL';
}
