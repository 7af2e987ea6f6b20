import { expect, it } from 'vitest';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import type { NetworkConfig } from '../../lib/types.ts';
import { runIn } from '../support/run.ts';
import { standIn } from '../support/stand-in.ts';
import { ping } from '../support/traffic.ts';
import { type ContractLab, describeLayouts } from './fixture.ts';

/** Two guests that know each other by way of their gateways alone. */
async function routedPair(lab: ContractLab, options: readonly NetworkManagerOptions[]) {
  const nets: NetworkConfig[] = [];
  for (const [index, each] of options.entries()) {
    const manager = await lab.open({ verify: 'off', ...each });
    nets.push(await manager.setup(`vm-${index + 1}`));
  }
  const [first, second] = nets;
  if (first === undefined || second === undefined) throw new Error('two networks are needed');
  const guests = await Promise.all(nets.map(standIn));
  const [one = '', other = ''] = guests;
  const [near, far] = nets.map(({ gatewayIp }) => gatewayIp ?? '');
  await runIn(one, 'ip', 'route', 'add', second.guestIp, 'via', near ?? '');
  await runIn(other, 'ip', 'route', 'add', first.guestIp, 'via', far ?? '');
  return { one, gateway: near ?? '', peer: second.guestIp };
}

describeLayouts('isolated VMs', (lab) => {
  it('reach their gateway, and each other not even by way of it', async () => {
    const { one, gateway, peer } = await routedPair(lab, [{ isolated: true }, { isolated: true }]);
    expect(await ping(one, gateway)).toBe(true);
    expect(await ping(one, peer)).toBe(false);
  });

  it('are the only ones that don’t', async () => {
    const { one, peer } = await routedPair(lab, [{}, {}]);
    expect(await ping(one, peer)).toBe(true);
  });

  it('of another network that is isolated are out of reach, too, those of one that is not are not', async () => {
    const red = { network: 'red', bridge: 'red0', subnet: '10.77.0.0/24', isolated: true };
    const blue = { network: 'blue', bridge: 'blue0', subnet: '10.78.0.0/24' };
    const { one, peer } = await routedPair(lab, [red, { ...blue, isolated: true }]);
    expect(await ping(one, peer)).toBe(false);
    await lab.open({ ...blue, isolated: false });
    expect(await ping(one, peer)).toBe(true);
  });
});
