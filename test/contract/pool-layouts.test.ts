import { expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { resetLab } from '../support/lab.ts';
import { standIn } from '../support/stand-in.ts';
import { isUnanswered, ping } from '../support/traffic.ts';
import { describeOtherLayouts } from './fixture.ts';
import { rules } from './oracles.ts';
import { dumpOfOne, oneAddress, openWarm, untilReady } from './pool-state.ts';

describeOtherLayouts('a pool', (lab) => {
  it('gives a VM exactly what a setup of its own would', async () => {
    const manager = await lab.open(oneAddress);
    const cold = await dumpOfOne(manager);
    await manager.close();
    await resetLab();
    const pooled = await openWarm(lab, { ...oneAddress, pool: { min: 1, max: 1 } });
    expect(await dumpOfOne(pooled)).toBe(cold);
    expect(pooled.stats().latency.setup.warm.count).toBe(1);
  });

  it('serves VMs that reach each other and the gateway, adds no rules, and leaves no trace', async () => {
    await (await lab.open({ shutdown: 'leave' })).close();
    const before = await canonicalDump();
    const manager = await openWarm(lab, { pool: { min: 3, max: 3 } });
    const constant = await rules();
    const [one, two] = [await manager.setup('vm-1'), await manager.setup('vm-2')];
    expect([one.origin, two.origin]).toEqual(['warm', 'warm']);
    const first = await standIn(one);
    await standIn(two);
    expect(await ping(first, two.guestIp)).toBe(true);
    expect(await ping(first, one.gatewayIp ?? '')).toBe(true);
    await untilReady(manager, 3);
    expect(await rules()).toEqual(constant);
    await manager.teardown('vm-2');
    expect(await isUnanswered(first, two.guestIp)).toBe(true);
    await manager.close();
    await expectUnchanged(before);
  });
});
