import { NetworkError } from '../../errors.ts';
import type { Scope } from '../../operation.ts';
import type { RepairReport } from '../../types.ts';
import { presentPlans } from '../network/own-bridges.ts';
import { isNetworkRemoved, removedText } from '../network/removed-network.ts';
import type { Runtime } from '../network/runtime.ts';
import { asDifference, beyondRepair, type Finding, textOf } from './finding.ts';
import { HostReading } from './host-reading.ts';
import { inspectSubnets } from './routes.ts';

/** Puts back what is no VM's: bridges, the subnet's own routes, firewall, guard and forwarding, also where there is no VM. */

/** Of the network's lock. */
const patienceMs = 5_000;

type Report = Omit<RepairReport, 'ok'>;

export async function repairNetwork(runtime: Runtime, scope: Scope): Promise<Report> {
  const { step } = scope;
  try {
    return await runtime.locks.withNetwork(
      'shared',
      scope,
      () => {
        scope.step = step;
        return mend(runtime);
      },
      patienceMs,
    );
  } catch (error) {
    if (!(error instanceof NetworkError)) throw error;
    const message = 'what of the network is there could not be seen';
    return { repaired: [], failed: [{ vmId: null, subject: 'bridge', message, error }] };
  }
}

async function mend(runtime: Runtime): Promise<Report> {
  const found = await inspectNetwork(runtime);
  const errors = new Map<string, Error>();
  for (const finding of found) {
    const error = await applied(finding);
    if (error !== null) errors.set(textOf(finding), error);
  }
  const left = found.some(({ fix }) => fix !== null) ? await inspectNetwork(runtime) : found;
  const still = new Set(left.map(textOf));
  const done = found.filter((finding) => !still.has(textOf(finding)));
  return {
    repaired: done.map((finding) => ({ vmId: null, ...asDifference(finding) })),
    failed: left.map((finding) => ({
      ...{ vmId: null, ...asDifference(finding) },
      error: errors.get(textOf(finding)) ?? null,
    })),
  };
}

async function inspectNetwork(runtime: Runtime): Promise<readonly Finding[]> {
  const { network } = runtime;
  const host = new HostReading(runtime);
  const { all } = await host.links();
  if (await isNetworkRemoved(runtime, all)) return [beyondRepair('bridge', removedText(network))];
  const findings: Finding[] = [];
  for (const plan of presentPlans(network, all)) findings.push(...(await host.bridge(plan)));
  if (network.layout?.hostRoutes === true) findings.push(...inspectSubnets(runtime, await host.ways()));
  if (network.guarded) findings.push(...(await host.guard(network.firewall.group !== undefined)));
  return [...findings, ...(await host.firewall()), ...(await host.forwarding())];
}

async function applied({ fix }: Finding): Promise<Error | null> {
  if (fix?.on !== 'host') return null;
  try {
    await fix.apply();
    return null;
  } catch (error) {
    if (error instanceof NetworkError) return error;
    throw error;
  }
}
