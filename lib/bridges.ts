import type { BackendName, NetworkLayout } from './types.ts';

/** The bridges of one network: how many it may have, and what they are called. */

/** What the firewall has elements for from the start; more bridges would hold more VMs than a host does. */
const maxBridges = 256;

/** What a bridge may have of ports; the kernel refuses more. */
export const maxPorts = 1023;

/** The first has the name that was chosen. */
export function bridgeNames(first: string, count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => (index === 0 ? first : `${first}-${index}`));
}

/** Enough for a VM at each address, `portsPerBridge` to a bridge. */
export function bridgesFor(addresses: bigint, portsPerBridge: number): number {
  const count = (addresses + BigInt(portsPerBridge) - 1n) / BigInt(portsPerBridge);
  return count > BigInt(maxBridges) ? maxBridges : Number(count);
}

/** Why a network of these options can't have the layout, which is not one bridge; `null`: it can. */
export function layoutProblem(options: {
  readonly layout: NetworkLayout;
  readonly backend: BackendName;
  readonly family: 4 | 6;
  readonly hairpin?: boolean | undefined;
  readonly promiscuous?: boolean | undefined;
}): string | null {
  if (options.backend !== 'native')
    return "is not what plugins build: leave it out, or take backend: 'native'";
  if (options.family !== 4) return 'is for IPv4 subnets: leave it out, or choose one of them';
  const isForBridges = options.hairpin === true || options.promiscuous === true;
  if (options.layout !== 'routed' || !isForBridges) return null;
  return 'has no bridges for hairpin or promiscuous: leave them, or it, out';
}
