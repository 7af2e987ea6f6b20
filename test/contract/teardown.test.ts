import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { afterEach, expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { replaceNamespace, until } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip, outcomeOf, runIn } from '../support/run.ts';
import { describeLayouts } from './fixture.ts';
import { hostLinks, untilHostLinks } from './oracles.ts';

let pinning: ChildProcess[] = [];

/** A process that stays in the namespace, as a VMM would; resolves with the namespace's path that it alone gives. */
async function pin(netnsPath: string): Promise<{ readonly pid: number; readonly netns: string }> {
  const child = spawn('nsenter', [`--net=${netnsPath}`, '--', 'sh', '-c', 'echo in; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  pinning.push(child);
  await once(child.stdout, 'data');
  return { pid: child.pid ?? 0, netns: `/proc/${child.pid}/ns/net` };
}

async function unpin(): Promise<void> {
  for (const child of pinning) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
  pinning = [];
}

/** Whether somebody in the namespace who takes the redirection away reaches the gateway. */
async function reachesGateway(netns: string): Promise<boolean> {
  await runIn(netns, 'tc', 'qdisc', 'delete', 'dev', 'eth0', 'ingress').catch(() => {});
  const ping = ['ping', '-c', '1', '-w', '3', '10.168.0.1'];
  return (await outcomeOf('nsenter', [`--net=${netns}`, '--', ...ping])).exitCode === 0;
}

describeLayouts('teardown', (lab) => {
  afterEach(unpin);

  it('double teardown: the first leaves nothing, the second does nothing, nor does one of a VM that never was', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    await manager.teardown('vm-1');
    await expectUnchanged(before);
    await manager.setup('vm-1');
    await manager.teardown('vm-1');
    await expectUnchanged(before);
    await manager.teardown('vm-1');
    await expectUnchanged(before);
  });

  it('may be called by several at once', async () => {
    const [manager, other] = [await lab.open(), await lab.open()];
    const before = await canonicalDump();
    await manager.setup('vm-1');
    await Promise.all([manager, other, manager, other].map((each) => each.teardown('vm-1')));
    await expectUnchanged(before);
  });

  it('works for another manager, as after a restart', async () => {
    const first = await lab.open({ shutdown: 'leave' });
    const before = await canonicalDump();
    await first.setup('vm-1', { containerId: 'other-id' });
    await first.close();
    const second = await lab.open();
    await second.teardown('vm-1');
    await expectUnchanged(before);
  });

  it('works when the namespace is gone', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    await manager.setup('vm-1');
    await ip('netns', 'delete', 'vulcan-vm-1');
    await untilHostLinks();
    await manager.teardown('vm-1');
    await expectUnchanged(before);
  });

  it('works when the link on the host is gone', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    await manager.setup('vm-1');
    for (const { ifname } of await hostLinks()) await ip('link', 'delete', ifname);
    await manager.teardown('vm-1');
    await expectUnchanged(before);
  });

  it('cuts a VM off whose VMM still runs; its address can go to the next VM', async () => {
    const manager = await lab.open({ subnet: '10.168.0.0/30' });
    const first = await manager.setup('vm-1');
    const { netns } = await pin(first.netnsPath);
    expect(await reachesGateway(netns)).toBe(true);
    await manager.teardown('vm-1');
    expect(await readdir('/run/netns')).toEqual([]);
    expect(await readdir('/run/cni/networks/fcnet')).not.toContain(first.guestIp);
    expect(await reachesGateway(netns)).toBe(false);

    const next = await manager.setup('vm-2');
    expect(next.guestIp).toBe(first.guestIp);
    expect(await reachesGateway(netns)).toBe(false);
    expect(await reachesGateway(next.netnsPath)).toBe(true);
  });

  it('can set the same VM up anew while the old namespace is still held', async () => {
    const manager = await lab.open();
    const { netns } = await pin((await manager.setup('vm-1')).netnsPath);
    await manager.teardown('vm-1');
    const again = await manager.setup('vm-1');
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
    expect(await reachesGateway(netns)).toBe(false);
    expect(await reachesGateway(again.netnsPath)).toBe(true);
  });

  it('with wait, waits until those who hold the namespace have ended', async () => {
    const manager = await lab.open();
    const { netnsPath } = await manager.setup('vm-1');
    await pin(netnsPath);
    let ended = false;
    const torn = manager.teardown('vm-1', { wait: true }).then(() => {
      ended = true;
    });
    await until('the name to go', async () => (await readdir('/run/netns')).length === 0);
    expect(ended).toBe(false);
    await unpin();
    await torn;
  });

  it('with wait, names those who hold the namespace when time is up; the VM is off the network', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    const { pid } = await pin((await manager.setup('vm-1')).netnsPath);
    await expectRefusal(
      manager.teardown('vm-1', { wait: true, timeoutMs: 5_000 }),
      'ERR_NETNS_BUSY',
      `sleep (pid ${pid})`,
      { operation: 'teardown', step: 'wait', vmId: 'vm-1' },
    );
    await expectUnchanged(before);
  });

  // A link that is no port is set down, which nobody can prevent.
  if (lab.isBridged) {
    it('keeps address and record of a VM that it cannot cut off, until it can', async () => {
      const manager = await lab.open();
      const { guestIp } = await manager.setup('vm-1');
      // A bridge that runs the spanning tree protocol lets nobody else change its ports' state.
      await ip('link', 'set', 'fcbr0', 'type', 'bridge', 'stp_state', '1');
      const before = await canonicalDump();
      await expectRefusal(manager.teardown('vm-1'), 'ERR_LINK_CUT', /its address stays taken/, {
        ...{ operation: 'teardown', step: 'cut', vmId: 'vm-1', syscall: 'RTM_SETLINK' },
        cause: { code: 'EBUSY' },
      });
      await expectUnchanged(before);
      expect((await manager.setup('vm-2')).guestIp).not.toBe(guestIp);
      expect(await manager.gc({ keep: ['vm-2'] })).toMatchObject({
        removed: [],
        failed: [{ containerId: 'vm-1', error: { code: 'ERR_LINK_CUT' } }],
      });

      await ip('link', 'set', 'fcbr0', 'type', 'bridge', 'stp_state', '0');
      expect(await manager.gc({ keep: ['vm-2'] })).toEqual({ removed: ['vm-1'], failed: [] });
      expect(await readdir('/run/cni/networks/fcnet')).not.toContain(guestIp);
    });
  }

  it('goes on past what stands in its way, and tells', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    await replaceNamespace('vulcan-vm-1');
    await expectRefusal(manager.teardown('vm-1'), 'ERR_TEARDOWN_INCOMPLETE', /did not make/, {
      ...{ operation: 'teardown', vmId: 'vm-1' },
      errors: [{ code: 'ERR_NETNS_FOREIGN', path: '/var/run/netns/vulcan-vm-1' }],
    });
    await untilHostLinks();
    expect(await readdir('/run/cni/networks/fcnet')).not.toContain('10.168.0.2');
    expect(await readdir('/run/netns')).toEqual(['vulcan-vm-1']);
  });
});
