import { expect, it } from 'vitest';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import type { NetworkConfig } from '../../lib/types.ts';
import { run, runIn } from '../support/run.ts';
import { standIn } from '../support/stand-in.ts';
import { isUnanswered, ping } from '../support/traffic.ts';
import { type ContractLab, describeLayouts } from './fixture.ts';
import { hostLinks } from './oracles.ts';

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
    expect(await isUnanswered(one, peer)).toBe(true);
  });

  it('are the only ones: others reach each other', async () => {
    const { one, peer } = await routedPair(lab, [{}, {}]);
    expect(await ping(one, peer)).toBe(true);
  });

  it('of another network that is isolated are out of reach, too, those of one that is not are not', async () => {
    const red = { network: 'red', bridge: 'red0', subnet: '10.77.0.0/24', isolated: true };
    const blue = { network: 'blue', bridge: 'blue0', subnet: '10.78.0.0/24' };
    const { one, peer } = await routedPair(lab, [red, { ...blue, isolated: true }]);
    expect(await isUnanswered(one, peer)).toBe(true);
    await lab.open({ ...blue, isolated: false });
    expect(await ping(one, peer)).toBe(true);
  });
});

describeLayouts('what a setup gave its VM by `isolated` and `hairpin`', (lab) => {
  const port = async (vmId: string) => {
    const link = (await hostLinks()).find(({ ifalias }) => ifalias?.includes(` ${vmId} `));
    const { hairpin, isolated } = link?.linkinfo?.info_slave_data ?? {};
    return { name: link?.ifname ?? '', options: lab.isBridged ? { hairpin, isolated } : null };
  };
  const isWhole = { ok: true, differences: [] };

  it('is what check and repair hold it to, whatever the network is opened with by then', async () => {
    const given = lab.isBridged ? { isolated: true, hairpin: true } : { isolated: true };
    const first = await lab.open({ ...given, shutdown: 'leave' });
    await first.setup('vm-1');
    await first.close();
    const manager = await lab.open();
    await manager.setup('vm-2');
    const before = [await port('vm-1'), await port('vm-2')];
    if (lab.isBridged) {
      expect(before[0]?.options).toEqual({ isolated: true, hairpin: true });
      expect(before[1]?.options).toEqual({ isolated: false, hairpin: false });
    }
    for (const vmId of ['vm-1', 'vm-2']) expect(await manager.check(vmId)).toEqual(isWhole);
    expect(await manager.repair()).toEqual({ ok: true, repaired: [], failed: [] });
    expect([await port('vm-1'), await port('vm-2')]).toEqual(before);
    if (!lab.isBridged) return;
    for (const [vm, value] of [0, 1].map((index) => [
      before[index]?.name ?? '',
      index === 0 ? 'off' : 'on',
    ])) {
      await run('bridge', ['link', 'set', 'dev', vm ?? '', 'isolated', value ?? '', 'hairpin', value ?? '']);
    }
    for (const vmId of ['vm-1', 'vm-2']) {
      expect((await manager.check(vmId)).differences).toMatchObject([
        { subject: 'bridge', message: expect.stringContaining('with other options') },
      ]);
    }
    expect((await manager.repair()).failed).toEqual([]);
    expect([await port('vm-1'), await port('vm-2')]).toEqual(before);
  });
});
