import { NetworkError } from '../../errors.ts';
import type { NativeBinding } from '../../native/binding.ts';
import type { BridgePlan } from '../../native/engine.ts';
import type { NativeError } from '../../native/error.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { LinkInfo } from '../../native/netlink.ts';
import { conflistFile, readConflist } from './conflist-file.ts';
import type { Network } from './network.ts';

/** Networks that `removeNetwork` has taken away, of whichever manager: those that had them open are not to go on. */

interface Host {
  readonly binding: NativeBinding;
  readonly network: Network;
}

/** One that is of the network's own making, and goes with it. Of a chain's own, one with ports of others stays. */
const goesWithNetwork = (plan: BridgePlan, link: LinkInfo): boolean =>
  link.mac === plan.mac && plan.bare !== true;

/**
 * Firewall and conflist go with a network, and so do bridges of its own. Who deletes a bridge leaves the others, and who flushes the
 * ruleset leaves the conflist. A conflist of the user's own says nothing: there it is the bridge that tells, or, with
 * `isBare`, that a firewall which is there for others has nothing of the network.
 */
export async function isNetworkRemoved(
  { binding, network }: Host,
  links: readonly LinkInfo[],
  isBare = false,
): Promise<boolean> {
  const { bridges, name } = network;
  if (bridges.length === 0 && !isBare) return false;
  const present = bridges.flatMap((plan) => {
    const link = links.find(({ kind, name: each }) => kind === 'bridge' && each === plan.name);
    return link === undefined ? [] : [{ plan, link }];
  });
  if (present.some(({ plan, link }) => goesWithNetwork(plan, link))) return false;
  if ((await atStep('firewall', () => binding.firewallList({}))).includes(name)) return false;
  const file = conflistFile(network);
  if (file !== null) return (await readConflist(binding, file)) === null;
  return isBare || present.length === 0;
}

/**
 * For a set-up that met with a firewall which does not know its network, as `cause` says: throws where that is not to be put back. One
 * that somebody has made again with other bridges has a firewall of its own, which this manager's would replace.
 */
export async function refuseRemoved(host: Host, cause: NativeError): Promise<void> {
  const { binding, network } = host;
  const isBare = cause.reason === 'firewall-bare';
  const known = isBare ? await atStep('firewall', () => binding.firewallList({})) : [];
  if (known.includes(network.name)) {
    const { name } = network;
    const message = `${cause.path} is no longer in the firewall as one of network ${name}, which was made again otherwise, or changed by hand: open a new NetworkManager`;
    throw new NetworkError('ERR_NETWORK_REMOVED', message, { step: 'firewall', network: name, cause });
  }
  const { links } = await atStep('firewall', () => binding.dump({ kinds: ['links'] }));
  if (await isNetworkRemoved(host, links, isBare)) throw removedError(network, 'firewall', cause);
}

export const removedText = ({ name }: Network): string =>
  `network ${name} was removed: open a new NetworkManager, which makes it again`;

export function removedError(network: Network, step: string, cause: unknown): NetworkError {
  return new NetworkError('ERR_NETWORK_REMOVED', removedText(network), {
    step,
    network: network.name,
    cause,
  });
}
