import { channel } from 'node:diagnostics_channel';
import { closeSync, openSync, readdirSync } from 'node:fs';
import { open, utimes } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { PoolEvent } from '../../lib/observe.ts';
import type { PoolOptions } from '../../lib/options.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { holdLock } from '../support/hold-lock.ts';
import { interrupted } from '../support/interrupted.ts';
import { resetLab, until } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip } from '../support/run.ts';
import { describeBackends } from './fixture.ts';
import { hostLinks, type LinkSeen, linkOf, linksOf } from './oracles.ts';
import { dumpOfOne, oneAddress, openWarm, slotAddresses, untilLabelled, untilReady } from './pool-state.ts';

describeBackends(
  'a pool',
  (lab) => {
    it('gives a VM exactly what a setup of its own would', async () => {
      const manager = await lab.open(oneAddress);
      const cold = await dumpOfOne(manager);
      await manager.close();
      await resetLab();
      const pooled = await openWarm(lab, { ...oneAddress, pool: { min: 1, max: 1 } });
      expect(await dumpOfOne(pooled)).toBe(cold);
      expect(pooled.stats()).toMatchObject({
        pools: [{ inUse: 1, ready: 0, tapName: 'tap0' }],
        latency: { setup: { warm: { count: 1 }, cold: { count: 0 } } },
      });
    });

    it('has links that say a moment after a setup whose they are: to another manager no difference until it is late', async () => {
      const manager = await openWarm(lab, { ...oneAddress, pool: { min: 1, max: 1 } });
      const observer = await lab.open({ ...oneAddress, shutdown: 'leave' });
      await manager.setup('vm-1');
      await untilLabelled('vulcan-net fcnet vm-1 eth0');
      const [{ ifname } = { ifname: '' }] = await hostLinks();
      await ip('link', 'set', ifname, 'alias', '');
      const record = '/run/cni/results/fcnet-vm-1-eth0';
      await until('a look in time', async () => {
        await utimes(record, new Date(), new Date());
        return (await observer.check('vm-1')).ok;
      });
      const late = Date.now() / 1_000 - 2;
      await utimes(record, late, late);
      expect(await observer.check('vm-1')).toMatchObject({ ok: false, differences: [{ subject: 'alias' }] });
      expect(await observer.repair('vm-1')).toMatchObject({ ok: true, repaired: [{ subject: 'alias' }] });
    });

    it('is left without a trace by VMs and by close', async () => {
      await (await lab.open({ shutdown: 'leave' })).close();
      const before = await canonicalDump();
      const manager = await openWarm(lab, { pool: { min: 3, max: 3 } });
      expect(await slotAddresses()).toHaveLength(3);
      for (const vmId of ['vm-1', 'vm-2', 'vm-3']) {
        expect(await manager.setup(vmId, { containerId: `id-of-${vmId}` })).toMatchObject({ origin: 'warm' });
      }
      await manager.teardown('vm-1');
      await manager.close();
      await expectUnchanged(before);
    });

    it('cuts a VM off for good that goes as soon as it has come', async () => {
      const manager = await openWarm(lab, { pool: { min: 2, max: 2, recycle: false } });
      const net = await manager.setup('vm-1');
      const held = openSync(net.netnsPath, 'r');
      try {
        await Promise.all([manager.teardown('vm-1'), manager.setup('vm-2')]);
        const { interfaces } = net.result as { readonly interfaces: readonly { readonly name: string }[] };
        expect(interfaces[1]?.name).toMatch(/^vn/);
        await untilLabelled('vulcan-net fcnet vm-2 eth0');
        const portState = (link: LinkSeen) => link.linkinfo?.info_slave_data?.['state'];
        const its = (await linksOf(null)).filter(({ ifname }) => interfaces[1]?.name === ifname);
        // A second after the teardown it is deleted, as its namespace is held.
        const states = its.map((link) => [portState(link), link.ifalias]);
        expect([[], [['disabled', undefined]]]).toContainEqual(states);
      } finally {
        closeSync(held);
      }
    });

    it('has done with a VM whose namespace is held for longer than its teardown waits', async () => {
      const pool = { min: 1, max: 1, recycle: false };
      const manager = await openWarm(lab, { pool, antiSpoofing: false });
      const { netnsPath, result } = await manager.setup('vm-1');
      const held = openSync(netnsPath, 'r');
      try {
        const waiting = manager.teardown('vm-1', { wait: true, timeoutMs: 2_000 });
        const torn = expectRefusal(waiting, 'ERR_NETNS_BUSY', 'has it open');
        await untilReady(manager, 1);
        expect(await manager.setup('vm-1')).toMatchObject({ origin: 'warm' });
        await torn;
        expect(manager.stats().pools).toMatchObject([{ inUse: 1 }]);
        await manager.teardown('vm-1');
        expect(manager.stats().pools).toMatchObject([{ inUse: 0 }]);
        const { interfaces } = result as { readonly interfaces: readonly { readonly name: string }[] };
        const isLeft = async () => (await linksOf(null)).some(({ ifname }) => ifname === interfaces[1]?.name);
        // It has not said whose it was.
        await until('its link to go', async () => !(await isLeft()));
      } finally {
        closeSync(held);
      }
    });

    it('says what could not be destroyed, and closes all the same', async () => {
      const fails = () => Promise.reject(new Error('no slots today'));
      const options = { pool: { min: 1, max: 1 } };
      const manager = await lab.open(options, interrupted('slotDestroy', { after: fails }));
      await manager.warmUp();
      await manager.setup('vm-1');
      await untilReady(manager, 1);
      await manager.close();
      expect(lab.logged).toMatchObject([
        { level: 'warn', message: 'a slot was left in part: no slots today' },
      ]);
      expect(await (await lab.open()).list()).toEqual([]);
    });

    it('that is empty gives way to a setup of its own, and fills again', async () => {
      const manager = await openWarm(lab, { pool: { min: 1, max: 1 } });
      const origins = await Promise.all(
        ['vm-1', 'vm-2', 'vm-3'].map(async (vmId) => (await manager.setup(vmId)).origin),
      );
      expect(origins.sort()).toEqual(['cold', 'cold', 'warm']);
      await untilReady(manager, 1);
      expect(await manager.setup('vm-4')).toMatchObject({ origin: 'warm' });
    });

    it('serves no demand that its slots do not fit', async () => {
      const manager = await openWarm(lab, { pool: { min: 2, max: 2, tapOwner: { uid: 1234, gid: 4321 } } });
      const [held = ''] = await slotAddresses();
      const tapOwner = { uid: 1234, gid: 4321 };
      const others = [
        { tapOwner: { uid: 1234, gid: 1234 } },
        { tapOwner, mac: '02:00:00:00:00:01' },
        { tapOwner, tapName: 'tap7' },
        { tapOwner, address: '10.168.0.99' },
        // A slot makes room for whom its address is wanted.
        { tapOwner, address: held },
        {},
      ];
      for (const [index, options] of others.entries()) {
        const net = await manager.setup(`vm-${index}`, options);
        expect(net).toMatchObject({
          origin: 'cold',
          ...('address' in options ? { guestIp: options.address } : {}),
        });
      }
      const net = await manager.setup('vm-9', { tapOwner, containerId: 'other' });
      expect(net).toMatchObject({ origin: 'warm', containerId: 'other' });
      const tap = await linkOf(net.netnsPath, 'tap0');
      expect(tap).toMatchObject({ linkinfo: { info_data: { user: 1234, group: 4321 } } });
    });

    it('has slots of their own for each TAP name and owner', async () => {
      const [mine, theirs] = [
        { uid: 1001, gid: 1001 },
        { uid: 1002, gid: 1002 },
      ];
      const size = { min: 1, max: 1 };
      const pool: readonly PoolOptions[] = [
        { ...size, tapOwner: mine },
        { ...size, tapOwner: theirs },
        { ...size, tapOwner: theirs, tapName: 'tap7' },
      ];
      const manager = await openWarm(lab, { pool });
      for (const [index, wish] of [...pool].reverse().entries()) {
        const { tapOwner, tapName } = wish;
        const net = await manager.setup(`vm-${index}`, { tapOwner, tapName });
        expect(net).toMatchObject({ origin: 'warm', tapName: tapName ?? 'tap0' });
        const tap = await linkOf(net.netnsPath, net.tapName);
        expect(tap).toMatchObject({ linkinfo: { info_data: { user: tapOwner?.uid, group: tapOwner?.gid } } });
      }
      const other = { tapOwner: mine, tapName: 'tap7' };
      expect(await manager.setup('vm-9', other)).toMatchObject({ origin: 'cold' });
      expect(manager.stats().pools.map(({ inUse }) => inUse)).toEqual([1, 1, 1]);
      await manager.teardown('vm-0');
      expect(manager.stats().pools.map(({ inUse }) => inUse)).toEqual([1, 1, 0]);
    });

    it('builds nothing while the kernel has many namespaces to free, and delays nobody for that', async () => {
      const manager = await openWarm(lab, { pool: { min: 1, max: 1 } });
      const tapName = 'tap7';
      const isTheirs = ({ ifalias = '' }) => ifalias.startsWith('vulcan-net fcnet vm-');
      /** Where VMs came from while so many were held, and how many were left when the next slot was ready; `null`: that took too long to tell. */
      const round = async () => {
        const nets = await Promise.all(
          Array.from({ length: 40 }, (_value, index) => manager.setup(`vm-${index}`, { tapName })),
        );
        const links = new Set((await hostLinks()).filter(isTheirs).map(({ ifname }) => ifname));
        expect(links.size).toBe(40);
        // As long as they are held, they cannot be freed.
        const held = await Promise.all(nets.map(({ netnsPath }) => open(netnsPath)));
        const begun = performance.now();
        // After two seconds a link is taken for one that somebody holds.
        const left = () =>
          performance.now() - begun < 2_000
            ? readdirSync('/sys/class/net').filter((name) => links.has(name)).length
            : null;
        await Promise.all(nets.map(({ vmId }) => manager.teardown(vmId)));
        const leftAtNext = new Promise<number | null>((resolve) => {
          const ready = channel('vulcan-net:pool:ready');
          ready.subscribe(function listener() {
            ready.unsubscribe(listener);
            resolve(left());
          });
        });
        const origins: string[] = [];
        for (const vmId of ['vm-warm', 'vm-cold']) origins.push((await manager.setup(vmId)).origin);
        const wereMany = (left() ?? 0) > 32;
        for (const each of held) await each.close();
        for (const vmId of ['vm-warm', 'vm-cold']) await manager.teardown(vmId);
        const leftThen = await leftAtNext;
        return wereMany && leftThen !== null ? { origins, leftThen } : null;
      };
      let seen: Awaited<ReturnType<typeof round>> = null;
      await until('a round in time', async () => {
        await until('the links to go', async () => !(await hostLinks()).some(isTheirs));
        await untilReady(manager, 1);
        seen = await round();
        return seen !== null;
      });
      expect(seen).toEqual({ origins: ['warm', 'cold'], leftThen: expect.any(Number) });
      expect(seen).toHaveProperty(
        'leftThen',
        expect.toSatisfy((left: number) => left <= 32),
      );
    });

    it('gives up a slot to whoever needs the last address', async () => {
      const manager = await openWarm(lab, { ...oneAddress, pool: { min: 1, max: 1 } });
      const net = await manager.setup('vm-1', { tapName: 'tap7' });
      expect(net).toMatchObject({ origin: 'cold', guestIp: '10.168.0.2' });
      await expectRefusal(manager.setup('vm-2'), 'ERR_ADDRESSES_EXHAUSTED', '10.168.0.2');
      expect(manager.stats().errors).toEqual({ ERR_ADDRESSES_EXHAUSTED: 1 });
    });

    it('tells whoever warms it up why a slot cannot be built, and goes on trying', async () => {
      const other = await lab.open(oneAddress);
      await other.setup('vm-1');
      const failed: PoolEvent[] = [];
      const listener = (event: unknown) => void failed.push(event as PoolEvent);
      channel('vulcan-net:pool:failed').subscribe(listener);
      const manager = await lab.open({ ...oneAddress, pool: { min: 1, max: 1 } });
      await expectRefusal(manager.warmUp(), 'ERR_ADDRESSES_EXHAUSTED', '10.168.0.2');
      channel('vulcan-net:pool:failed').unsubscribe(listener);
      const error = { code: 'ERR_ADDRESSES_EXHAUSTED' };
      expect(failed[0]).toMatchObject({ network: 'fcnet', ready: 0, target: 1, error });
      await other.teardown('vm-1');
      await untilReady(manager, 1);
      await manager.warmUp();
      expect(await manager.setup('vm-2')).toMatchObject({ origin: 'warm', guestIp: '10.168.0.2' });
    });

    it('keeps its slot when the VM has its network already, or is aborted', async () => {
      const manager = await openWarm(lab, { pool: { min: 2, max: 2 } });
      await manager.setup('vm-1');
      await untilReady(manager, 2);
      await untilLabelled('vulcan-net fcnet vm-1 eth0');
      const before = await canonicalDump();
      await expectRefusal(manager.setup('vm-1'), 'ERR_ATTACHMENT_EXISTS', 'vm-1');
      const release = await holdLock(`${lab.stateDir}/locks/vm-2`);
      const setup = manager.setup('vm-2', { signal: AbortSignal.timeout(100) });
      await expect(setup).rejects.toMatchObject({ name: 'AbortError', rolledBack: true });
      await release();
      await manager.teardown('vm-2');
      await expectUnchanged(before);
      expect(manager.stats().pools).toMatchObject([{ ready: 2, inUse: 1 }]);
    });

    it('lets a link say whose it is, though a teardown has begun and failed', async () => {
      const manager = await openWarm(lab, { pool: { min: 2, max: 2 } });
      await manager.setup('vm-1');
      // While others come, no link is told whose it is.
      let over = false;
      const others = (async () => {
        for (let vm = 2; !over; vm++) await manager.withNetwork(`vm-${vm}`, () => {});
      })();
      const release = await holdLock(`${lab.stateDir}/locks/vm-1`);
      const torn = manager.teardown('vm-1', { timeoutMs: 200 });
      await expect(torn).rejects.toMatchObject({ code: expect.stringMatching(/_TIMEOUT$/) });
      over = true;
      await Promise.all([release(), others]);
      expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
      await untilLabelled('vulcan-net fcnet vm-1 eth0');
    });

    it('throws away slots that somebody has spoilt', async () => {
      const manager = await openWarm(lab, { pool: { min: 2, max: 2 } });
      const slots = (await linksOf(null)).filter(({ ifname }) => ifname.startsWith('vn'));
      for (const { ifname } of slots) await ip('link', 'delete', ifname);
      // Cold; or warm, when the pool has made a new slot by then. Either way it is whole.
      await manager.setup('vm-1');
      await untilReady(manager, 2);
      expect(await manager.setup('vm-2')).toMatchObject({ origin: 'warm' });
      for (const vmId of ['vm-1', 'vm-2']) {
        expect(await manager.check(vmId)).toEqual({ ok: true, differences: [] });
      }
    });

    it('shares the network with the pools of others', async () => {
      const [first, second] = [
        await openWarm(lab, { pool: { min: 4, max: 4 } }),
        await openWarm(lab, { pool: { min: 4, max: 4 } }),
      ];
      const nets = await Promise.all(
        Array.from({ length: 8 }, (_value, index) => (index % 2 === 0 ? first : second).setup(`vm-${index}`)),
      );
      expect(nets.map(({ origin }) => origin)).toEqual(Array(8).fill('warm'));
      expect(new Set(nets.map(({ guestIp }) => guestIp)).size).toBe(8);
      await expectRefusal(first.removeNetwork(), 'ERR_NETWORK_IN_USE', 'pool');
      await second.gc({ keep: nets.map(({ vmId }) => vmId) });
      await untilReady(first, 4);
      expect(await first.setup('vm-9')).toMatchObject({ origin: 'warm' });
    });

    it('is spread over several bridges, and leaves no route to what it gives up', async () => {
      const ownRoutes = async () => JSON.parse(await ip('-j', 'route', 'show', 'proto', '118'));
      const vmRoutes = async () =>
        (await ownRoutes()).flatMap(({ dst, type }: { dst: string; type?: string }) => (type ? [] : [dst]));
      const options = { layout: 'bridges', subnet: '10.168.0.0/28', portsPerBridge: 2 } as const;
      const manager = await openWarm(lab, { ...options, shutdown: 'leave', pool: { min: 4, max: 4 } });
      const slots = (await linksOf(null)).filter(({ ifname }) => ifname.startsWith('vn'));
      expect(slots.map(({ master }) => master).sort()).toEqual(['fcbr0', 'fcbr0', 'fcbr0-1', 'fcbr0-1']);
      const nets = await Promise.all(['vm-1', 'vm-2', 'vm-3', 'vm-4'].map((vmId) => manager.setup(vmId)));
      for (const { vmId, origin } of nets) {
        expect(origin).toBe('warm');
        expect(await manager.check(vmId)).toEqual({ ok: true, differences: [] });
      }
      await manager.teardown('vm-1');
      await manager.close();
      const ips = nets.slice(1).map(({ guestIp }) => guestIp);
      expect((await vmRoutes()).sort()).toEqual(ips.sort());
    });

    it('goes with its network', async () => {
      const manager = await openWarm(lab, { pool: { min: 2, max: 2 } });
      await manager.removeNetwork();
      const isGone = async () => (await linksOf(null)).every(({ ifname }) => !ifname.startsWith('vn'));
      await until('the links to go', isGone);
      expect(await slotAddresses()).toEqual([]);
    });

    it('grows with the demand and says so', async () => {
      const events: [name: unknown, event: PoolEvent][] = [];
      const listener = (event: unknown, name: unknown) => void events.push([name, event as PoolEvent]);
      const channels = ['ready', 'taken'].map((change) => channel(`vulcan-net:pool:${change}`));
      for (const each of channels) each.subscribe(listener);
      const manager = await openWarm(lab, { pool: { min: 1, max: 4 } });
      // So many that the demand lasts.
      await Promise.all(Array.from({ length: 30 }, (_value, index) => manager.setup(`vm-${index}`)));
      await untilReady(manager, 4);
      for (const each of channels) each.unsubscribe(listener);
      const pool = { network: 'fcnet', tapName: 'tap0', min: 1, max: 4 };
      expect(events).toContainEqual([
        'vulcan-net:pool:taken',
        expect.objectContaining({ ...pool, ready: 0, target: 1 }),
      ]);
      expect(events).toContainEqual([
        'vulcan-net:pool:ready',
        expect.objectContaining({ ...pool, ready: 4, target: 4 }),
      ]);
    });
  },
  ['native'],
);
