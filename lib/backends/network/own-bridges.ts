import { NetworkError } from '../../errors.ts';
import type { BridgePlan } from '../../native/engine.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { LinkInfo } from '../../native/netlink.ts';
import type { Scope } from '../../operation.ts';
import { forwardingOf } from './forwarding.ts';
import type { Bridge, Network } from './network.ts';
import { isNetworkRemoved, removedError } from './removed-network.ts';
import type { Runtime } from './runtime.ts';

/** The bridges of a network: which are to be there, and when one that is gone is made again. */

const namesOf = (links: readonly LinkInfo[]): ReadonlySet<string> =>
  new Set(links.flatMap(({ kind, name }) => (kind === 'bridge' ? [name] : [])));

/** All up to the last that is there, and the first in any case. */
export function presentPlans({ bridges }: Network, links: readonly LinkInfo[]): readonly BridgePlan[] {
  const names = namesOf(links);
  const last = bridges.findLastIndex(({ name }) => names.has(name));
  return bridges.slice(0, Math.max(last, 0) + 1);
}

/** Makes it, or makes it fit. One that takes the place of another is known by its own MAC from then on. */
export async function ensureBridge(runtime: Runtime, plan: BridgePlan): Promise<Bridge> {
  const { mac } = await atStep('bridge', () => runtime.binding.bridgeEnsure(plan));
  const bridge = { name: plan.name, mac };
  runtime.bridges = runtime.bridges.map((each) => (each.name === bridge.name ? bridge : each));
  return bridge;
}

/** Whether the network has made it, and not somebody else before. */
export function isOwnBridge({ bridges }: Network, { name, mac }: Bridge): boolean {
  return bridges.some((plan) => plan.name === name && plan.mac === mac);
}

/**
 * For a set-up that met with no bridge, or one that is down: makes again those that the network had made, and sets them up. `cause`:
 * what the set-up met with. The caller holds no lock.
 */
export async function remakeBridges(runtime: Runtime, scope: Scope, cause?: unknown): Promise<void> {
  const { step } = scope;
  await runtime.locks.withNetwork('shared', scope, async () => {
    scope.step = 'bridge';
    const { links } = await atStep('bridge', () => runtime.binding.dump({ kinds: ['links'] }));
    const [names, up] = [namesOf(links), namesOf(links.filter((link) => link.up))];
    const gone = runtime.bridges.filter(
      (bridge) => !(isOwnBridge(runtime.network, bridge) ? up : names).has(bridge.name),
    );
    if (gone.length > 0 && (await isNetworkRemoved(runtime, links))) {
      throw removedError(runtime.network, 'bridge', cause);
    }
    for (const bridge of gone) await ensureBridge(runtime, ownPlan(runtime.network, bridge, cause));
  });
  scope.step = step;
}

/** For the chain, whose bridge plugin would make one that is nobody's. Asks nothing of rtnetlink where they are there. */
export async function needBridges(runtime: Runtime, scope: Scope): Promise<void> {
  for (const { name } of runtime.bridges) {
    const key = forwardingOf(name);
    if ((await atStep('bridge', () => runtime.binding.sysctlRead({ key }))) !== null) continue;
    await remakeBridges(runtime, scope);
    return;
  }
}

/** A bridge of the user's own has ports and addresses that only the user knows; a `repair` is asked for one all the same. */
function ownPlan(network: Network, { name, mac }: Bridge, cause: unknown): BridgePlan {
  const plan = network.bridges.find((each) => each.name === name);
  if (plan?.mac === mac) return plan;
  const message = `bridge ${name} is gone, which was there before network ${network.name}: make it again, and call repair(); or call repair() alone for one of the network's own`;
  throw new NetworkError('ERR_NETWORK_REMOVED', message, { step: 'bridge', network: network.name, cause });
}
