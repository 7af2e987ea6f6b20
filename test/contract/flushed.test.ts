import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import type { NetworkManager } from '../../lib/network-manager.ts';
import type { NetworkConfig } from '../../lib/types.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { holdLock } from '../support/hold-lock.ts';
import { until } from '../support/lab.ts';
import { nft } from '../support/run.ts';
import { standIn } from '../support/stand-in.ts';
import { ping } from '../support/traffic.ts';
import { type ContractLab, describeLayouts } from './fixture.ts';
import { openWarm, untilReady } from './pool-state.ts';

/** Debian's /etc/nftables.conf begins with `flush ruleset`: a reload takes all tables away. */

const guardTables = ({ isBridged }: ContractLab): readonly string[] =>
  isBridged ? ['bridge vulcan'] : ['inet vulcan_guard', 'arp vulcan_guard'];

async function expectGuarded(lab: ContractLab, manager: NetworkManager, { mac, vmId }: NetworkConfig) {
  expect(await manager.check(vmId)).toEqual({ ok: true, differences: [] });
  const ruleset = await nft('list', 'ruleset');
  for (const table of ['inet vulcan', ...guardTables(lab)]) expect(ruleset).toContain(`table ${table} {`);
  for (const table of guardTables(lab)) {
    const set = await nft('list', 'set', ...table.split(' '), 'bindings4');
    expect(set).toContain(mac);
  }
}

describeLayouts('a set-up after the ruleset was flushed', (lab) => {
  it('has the firewall and its guard', async () => {
    const manager = await lab.open();
    await nft('flush', 'ruleset');
    await expectGuarded(lab, manager, await manager.setup('vm-1'));
  });

  it('has them however many come at once', async () => {
    const manager = await lab.open();
    await manager.setup('vm-0');
    await nft('flush', 'ruleset');
    const all = await Promise.all(['vm-1', 'vm-2', 'vm-3', 'vm-4'].map((vmId) => manager.setup(vmId)));
    for (const net of all) await expectGuarded(lab, manager, net);
  });

  it('has them where another has made its tables anew in the meantime', async () => {
    const manager = await lab.open();
    const options = { network: 'other', bridge: 'other0', subnet: '10.169.0.0/24' };
    const other = await lab.open(options);
    await nft('flush', 'ruleset');
    await expectGuarded(lab, other, await other.setup('vm-2'));
    await expectGuarded(lab, manager, await manager.setup('vm-1'));
    expect(await other.check('vm-2')).toEqual({ ok: true, differences: [] });
  });

  it('is refused, and leaves nothing, where somebody else has made the table', async () => {
    const manager = await lab.open();
    await nft('flush', 'ruleset');
    await nft('add', 'table', 'inet', 'vulcan');
    await expect(manager.setup('vm-1')).rejects.toMatchObject({
      ...{ code: 'ERR_FIREWALL', step: 'firewall' },
      message: expect.stringContaining('made by someone else'),
    });
    expect(await manager.list()).toEqual([]);
    await nft('delete', 'table', 'inet', 'vulcan');
    await expectGuarded(lab, manager, await manager.setup('vm-1'));
  });

  it('is not kept from the others by a VM that somebody is about', async () => {
    const manager = await lab.open({ shutdown: 'leave' });
    await manager.setup('vm-1');
    const net = await manager.setup('vm-2');
    await manager.close();
    await nft('flush', 'ruleset');
    const release = await holdLock(`${lab.stateDir}/locks/vm-1`);
    const opened = await lab.open();
    expect(opened.recovery.failed).toMatchObject([{ vmId: 'vm-1', error: { code: 'ERR_LOCK_TIMEOUT' } }]);
    await release();
    await expectGuarded(lab, opened, net);
  });

  it('is not needed for verify to see what is missing', async () => {
    const manager = await lab.open();
    const missing = async () => (await manager.verify()).findings.map(({ id }) => id);
    expect(await missing()).not.toContain('firewall.changed');
    await nft('flush', 'ruleset');
    expect(await missing()).toEqual(expect.arrayContaining(['firewall.changed', 'guard.missing']));
    await manager.setup('vm-1');
    expect(await missing()).not.toContain('firewall.changed');
    expect(await missing()).not.toContain('guard.missing');
    for (const table of guardTables(lab)) {
      await nft('flush', 'table', ...table.split(' '));
      expect(await missing()).toContain('guard.missing');
      await manager.repair();
      expect(await missing()).not.toContain('guard.missing');
    }
  });

  if (lab.backend === 'cni') return;

  it('gets no slot from before, and later ones have both', async () => {
    const manager = await openWarm(lab, { pool: { min: 3, max: 3 } });
    await nft('flush', 'ruleset');
    const first = await manager.setup('vm-1');
    await expectGuarded(lab, manager, first);
    await untilReady(manager, 3);
    const second = await manager.setup('vm-2');
    expect(second.origin).toBe('warm');
    await expectGuarded(lab, manager, second);
    expect(await ping(await standIn(second), second.gatewayIp ?? '')).toBe(true);
  });

  it.each([
    ['the firewall', () => ['inet vulcan']],
    ['its guard', () => guardTables(lab)],
    ['both', () => ['inet vulcan', ...guardTables(lab)]],
  ])('has them though the slot before it had them still, and then %s went', async (_, tables) => {
    const manager = await openWarm(lab, { pool: { min: 5, max: 5 } });
    for (const vmId of ['vm-1', 'vm-2', 'vm-3']) expect((await manager.setup(vmId)).origin).toBe('warm');
    for (const table of tables()) await nft('delete', 'table', ...table.split(' '));
    await expectGuarded(lab, manager, await manager.setup('vm-4'));
  });

  it('has them though they went while it waited for its address, without which it leaves nothing', async () => {
    const manager = await openWarm(lab, { pool: { min: 1, max: 1 } });
    const before = await canonicalDump();
    const release = await holdLock('/run/cni/networks/fcnet/lock');
    const inVain = manager.setup('vm-1', { signal: AbortSignal.timeout(100) });
    await expect(inVain).rejects.toMatchObject({ name: 'AbortError', rolledBack: true });
    await expectUnchanged(before);
    expect(manager.stats().pools).toMatchObject([{ ready: 1 }]);
    const waiting = manager.setup('vm-1');
    await until('its name', () => existsSync('/run/netns/vulcan-vm-1'));
    await nft('flush', 'ruleset');
    await release();
    await expectGuarded(lab, manager, await waiting);
  });

  it('keeps its slot where only the firewall is gone', async () => {
    const manager = await openWarm(lab, { pool: { min: 1, max: 1 } });
    await nft('delete', 'table', 'inet', 'vulcan');
    const net = await manager.setup('vm-1');
    expect(net.origin).toBe('warm');
    await expectGuarded(lab, manager, net);
  });

  it('gets no slot whose guard somebody has made anew', async () => {
    const manager = await openWarm(lab, { pool: { min: 1, max: 1 } });
    for (const table of guardTables(lab)) await nft('delete', 'table', ...table.split(' '));
    const other = await lab.open({ network: 'other', bridge: 'other0', subnet: '10.169.0.0/24' });
    await other.setup('vm-2');
    await expectGuarded(lab, manager, await manager.setup('vm-1'));
  });

  it('gets a slot that a VM has left since, guarded again', async () => {
    const manager = await openWarm(lab, { pool: { min: 1, max: 1, recycle: true, restMs: 0 } });
    await manager.setup('vm-1');
    await untilReady(manager, 1);
    await nft('flush', 'ruleset');
    await manager.teardown('vm-1');
    for (const vmId of ['vm-2', 'vm-3']) await expectGuarded(lab, manager, await manager.setup(vmId));
  });
});
