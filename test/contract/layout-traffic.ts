import { expect } from 'vitest';
import type { NetworkManager } from '../../lib/network-manager.ts';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import type { NetworkConfig } from '../../lib/types.ts';
import { until } from '../support/lab.ts';
import { runIn } from '../support/run.ts';
import { standIn } from '../support/stand-in.ts';
import * as traffic from '../support/traffic.ts';
import type { ContractLab } from './fixture.ts';
import { linkOf } from './oracles.ts';

/** Two VMs of a network whose host routes between them, of which the first has a namespace that is asked from. */
export interface Neighbours {
  readonly manager: NetworkManager;
  readonly one: NetworkConfig;
  readonly two: NetworkConfig;
  /** Namespaces in which a link stands in for the guest's. */
  readonly first: string;
  readonly second: string;
}

/**
 * VMs reach each other, the gateway, what hostAccess lists and the world; nobody answers for nobody. `link`: of the host,
 * whose MAC answers for the other VM. `more` is asked while both are there.
 */
export async function expectTraffic(
  lab: ContractLab,
  options: NetworkManagerOptions,
  link: () => Promise<string>,
  more: (neighbours: Neighbours) => Promise<void> = async () => {},
): Promise<void> {
  await traffic.addOutside();
  const manager = await lab.open({ ...options, hostAccess: [{ protocol: 'tcp', port: 8080 }] });
  const [one, two] = [await manager.setup('vm-1'), await manager.setup('vm-2')];
  const [first, second] = [await standIn(one), await standIn(two)];
  const gateway = one.gatewayIp ?? '';
  const { host, hostAddress, isDropped, isUnanswered, outside, outsideAddress, ping, reach } = traffic;
  const places = [
    [outside, 8080],
    [second, 8080],
    [host, 8080],
    [host, 8081],
  ] as const;
  const servers = places.map(([netns, port]) =>
    traffic.Background.start(netns, 'tcp-server', '::', `${port}`),
  );
  try {
    await until('servers to start', () => servers.every(({ lines }) => lines.includes('ready')));
    for (const netns of [first, second]) expect(await ping(netns, gateway)).toBe(true);
    expect(await reach(first, two.guestIp, 8080)).toBe(one.guestIp);
    expect(await reach(first, outsideAddress, 8080)).toBe(hostAddress);
    expect(await isDropped(outside, one.guestIp, 8080)).toBe(true);
    expect(await reach(second, gateway, 8080)).toBe(two.guestIp);
    expect(await isDropped(second, gateway, 8081)).toBe(true);
    expect(await reach(host, two.guestIp, 8080)).toBe(gateway);
    const { address } = await linkOf(null, await link());
    expect(await runIn(first, 'ip', 'neigh', 'show', two.guestIp)).toContain(`lladdr ${address}`);
    const nobody = one.guestIp.replace(/\d+$/, '9');
    expect(await isUnanswered(first, nobody)).toBe(true);
    expect(await runIn(first, 'ip', 'neigh', 'show', nobody)).not.toContain('lladdr');
    await more({ manager, one, two, first, second });
    await manager.teardown('vm-2');
    expect(await isUnanswered(first, two.guestIp)).toBe(true);
  } finally {
    for (const server of servers) await server.stop();
  }
}
