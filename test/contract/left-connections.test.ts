import { expect, it } from 'vitest';
import { speakTo, tracked } from '../support/flows.ts';
import { holdLock } from '../support/hold-lock.ts';
import { until } from '../support/lab.ts';
import { writeDualStack } from './dual-stack.ts';
import { type ContractLab, describeBackends, describeLayouts } from './fixture.ts';

const oneAddress = { ranges: [{ start: '10.168.0.2', end: '10.168.0.2' }] };

const isForgotten = (address: string) =>
  until(`${address} is forgotten`, async () => (await tracked(address)).length === 0);

/** A VM that is gone, with a flow of the host's to it. */
async function leaveFlow(lab: ContractLab) {
  const manager = await lab.open(oneAddress);
  const { guestIp } = await manager.setup('vm-1');
  await speakTo(guestIp);
  await manager.teardown('vm-1');
  return { manager, guestIp };
}

describeLayouts('connections of a VM that is gone', (lab) => {
  it('are forgotten before another gets its address', async () => {
    const { manager, guestIp } = await leaveFlow(lab);
    const net = await manager.setup('vm-2');
    expect(net.guestIp).toBe(guestIp);
    expect(await tracked(guestIp)).toEqual([]);
  });

  it('are forgotten when the manager is closed', async () => {
    const { manager, guestIp } = await leaveFlow(lab);
    await manager.close();
    expect(await tracked(guestIp)).toEqual([]);
  });
});

describeBackends('connections of a VM that is gone, after a moment', (lab) => {
  it('are forgotten after its teardown', async () => {
    const { guestIp } = await leaveFlow(lab);
    await isForgotten(guestIp);
  });

  it('are forgotten after a teardown that took its time', async () => {
    const manager = await lab.open(oneAddress);
    const { guestIp } = await manager.setup('vm-1');
    await speakTo(guestIp);
    const release = await holdLock('/run/cni/networks/fcnet/lock');
    const teardown = manager.teardown('vm-1');
    // Longer than it takes until those of VMs that are gone are forgotten.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await tracked(guestIp)).not.toEqual([]);
    await release();
    await teardown;
    await isForgotten(guestIp);
  });

  it('are forgotten where gc removes it, and stay as long as it lives', async () => {
    const first = await lab.open({ ...oneAddress, shutdown: 'leave' });
    const { guestIp } = await first.setup('vm-1');
    await speakTo(guestIp);
    await first.close();
    expect(await tracked(guestIp)).not.toEqual([]);
    const manager = await lab.open(oneAddress);
    expect(await tracked(guestIp)).not.toEqual([]);
    await manager.gc({ keep: [] });
    await isForgotten(guestIp);
  });

  it('are forgotten of both its addresses, and none of anybody else', async () => {
    const manager = await lab.open({ conflist: await writeDualStack() });
    await manager.setup('vm-1');
    const { addresses } = await manager.setup('vm-2');
    const others = ['10.9.0.2', 'fd79::2', '::1'];
    for (const ip of [...others, ...addresses.map(({ ip }) => ip)]) await speakTo(ip);
    await manager.teardown('vm-2');
    for (const { ip } of addresses) await isForgotten(ip);
    for (const ip of others) expect(await tracked(ip)).not.toEqual([]);
  });

  it('are left alone once another manager has given the address away', async () => {
    const { guestIp } = await leaveFlow(lab);
    const other = await lab.open(oneAddress);
    await other.setup('vm-2');
    await speakTo(guestIp);
    const before = await tracked(guestIp);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await tracked(guestIp)).toHaveLength(before.length);
  });
});
