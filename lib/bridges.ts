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
