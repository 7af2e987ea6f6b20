import { mkdir, readdir } from 'node:fs/promises';
import { afterEach, expect, it, onTestFinished } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { interrupted } from '../support/interrupted.ts';
import { replaceNamespace, until } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip, outcomeOf, run, runIn } from '../support/run.ts';
import { Vmms } from '../support/vmm.ts';
import { describeBackends, describeLayouts } from './fixture.ts';
import { flip, hostLinks, linkOf, linksOf, portStateOf, untilHostLinks } from './oracles.ts';

const vmms = new Vmms();

/** So long silence is listened to. */
const silenceS = '1';
const gateway = '10.168.0.1';

/** Whether somebody in the namespace who takes the redirection away reaches the gateway, or another VM. */
async function reaches(netns: string, address = gateway, patienceS = '30'): Promise<boolean> {
  await runIn(netns, 'tc', 'qdisc', 'delete', 'dev', 'eth0', 'ingress').catch(() => {});
  const ping = ['ping', '-c', '1', '-w', patienceS, address];
  return (await outcomeOf('nsenter', [`--net=${netns}`, '--', ...ping])).exitCode === 0;
}

describeLayouts('teardown', (lab) => {
  afterEach(() => vmms.end());

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
    const { netns } = await vmms.start(first.netnsPath);
    expect(await reaches(netns)).toBe(true);
    await manager.teardown('vm-1');
    expect(await readdir('/run/netns')).toEqual([]);
    expect(await readdir('/run/cni/networks/fcnet')).not.toContain(first.guestIp);
    expect(await reaches(netns, gateway, silenceS)).toBe(false);

    const next = await manager.setup('vm-2');
    expect(next.guestIp).toBe(first.guestIp);
    expect(await reaches(netns, gateway, silenceS)).toBe(false);
    expect(await reaches(next.netnsPath)).toBe(true);
  });

  it('can set the same VM up anew while the old namespace is still held', async () => {
    const manager = await lab.open();
    const { netns } = await vmms.start((await manager.setup('vm-1')).netnsPath);
    await manager.teardown('vm-1');
    const again = await manager.setup('vm-1');
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
    expect(await reaches(netns, gateway, silenceS)).toBe(false);
    expect(await reaches(again.netnsPath)).toBe(true);
  });

  it('with wait, waits until those who hold the namespace have ended', async () => {
    const manager = await lab.open();
    const { netnsPath } = await manager.setup('vm-1');
    await vmms.start(netnsPath);
    let ended = false;
    const torn = manager.teardown('vm-1', { wait: true }).then(() => {
      ended = true;
    });
    await until('the name to go', async () => (await readdir('/run/netns')).length === 0);
    expect(ended).toBe(false);
    await vmms.end();
    await torn;
  });

  it('with wait, names those who hold the namespace when time is up; the VM is off the network', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    const { pid } = await vmms.start((await manager.setup('vm-1')).netnsPath);
    // Plugins take their part of it.
    const timeoutMs = lab.backend === 'cni' ? 8_000 : 3_000;
    await expectRefusal(
      manager.teardown('vm-1', { wait: true, timeoutMs }),
      'ERR_NETNS_BUSY',
      `sleep (pid ${pid})`,
      { operation: 'teardown', step: 'wait', vmId: 'vm-1' },
    );
    await expectUnchanged(before);
  });

  it('with wait, keeps neither the next setup of the VM waiting nor the manager from closing', async () => {
    const manager = await lab.open();
    const { pid } = await vmms.start((await manager.setup('vm-1')).netnsPath);
    const torn = [1, 2].map(() =>
      expectRefusal(
        manager.teardown('vm-1', { wait: true }),
        'ERR_NETNS_BUSY',
        `manager closes while its namespace is still held: sleep (pid ${pid})`,
        { operation: 'teardown', step: 'wait', vmId: 'vm-1' },
      ),
    );
    await until('the name to go', async () => (await readdir('/run/netns')).length === 0);
    await manager.setup('vm-1');
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
    await manager.close();
    await Promise.all(torn);
    expect(await readdir('/run/netns')).toEqual([]);
  });

  it('cuts a VM off for good, whatever who holds its namespace does with the link there', async () => {
    let letGo = () => {};
    const looked = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    onTestFinished(() => letGo());
    // Else the link is deleted a second later, however long it takes to look at it.
    const held = lab.backend === 'native' ? interrupted('linkDelete', { before: () => looked }) : undefined;
    const manager = await lab.open({}, held);
    const other = await manager.setup('vm-2');
    const { netnsPath } = await manager.setup('vm-1');
    const aliased = (await hostLinks()).find(({ ifalias = '' }) => ifalias.includes('vm-1'));
    const { netns } = await vmms.start(netnsPath);
    // Whoever answers there.
    await reaches(other.netnsPath);
    expect(await reaches(netns, other.guestIp)).toBe(true);
    await manager.teardown('vm-1');
    const seen: unknown[] = [];
    let hasReached = false;
    for (let round = 0; round < 3; round += 1) {
      await flip(netns, 'eth0');
      // Of a chain's link its plugins leave nothing.
      if (lab.backend === 'native') {
        const link = await linkOf(null, `${aliased?.ifname}`);
        seen.push(link.flags.includes('UP') ? portStateOf(link) : 'down');
      }
      hasReached ||= await reaches(netns, other.guestIp, silenceS);
    }
    for (const state of seen) expect(state).toBe(lab.isBridged ? 'disabled' : 'down');
    expect(hasReached).toBe(false);
    letGo();
    await until('the link to go', async () =>
      (await linksOf(null)).every(({ ifname }) => ifname !== aliased?.ifname),
    );
  });

  if (lab.isBridged) {
    it('cuts a VM off a bridge that runs the spanning tree protocol', async () => {
      const manager = await lab.open({ subnet: '10.168.0.0/30' });
      const first = await manager.setup('vm-1');
      const { netns } = await vmms.start(first.netnsPath);
      // Under which nobody else may set the state of a port.
      await ip('link', 'set', 'fcbr0', 'type', 'bridge', 'stp_state', '1');
      await until('the port', () => reaches(netns));
      await manager.teardown('vm-1');
      expect(await readdir('/run/cni/networks/fcnet')).not.toContain(first.guestIp);
      expect(await reaches(netns, gateway, silenceS)).toBe(false);
      expect((await manager.setup('vm-2')).guestIp).toBe(first.guestIp);
      await manager.teardown('vm-2');
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

describeBackends('a VM whose stateDir can no longer be written', (lab) => {
  const stateDir = '/run/state';

  it('is cut off by a teardown, and gone with one that can', async () => {
    await mkdir(stateDir, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', 'mode=0700', 'none', stateDir]);
    const manager = await lab.open({ stateDir, shutdown: 'leave' });
    const before = await canonicalDump();
    await manager.setup('vm-1');
    await run('mount', ['-o', 'remount,ro', stateDir]);
    await expectRefusal(manager.teardown('vm-1'), 'ERR_TEARDOWN_INCOMPLETE', /EROFS.*remount,rw/);
    await untilHostLinks();
    expect(await manager.list()).toHaveLength(1);
    await run('mount', ['-o', 'remount,rw', stateDir]);
    await manager.teardown('vm-1');
    await expectUnchanged(before);
    await manager.close();
  });
});

describeBackends('the namespace of a VM in the netnsDir of before', (lab) => {
  it.each(['teardown', 'gc'] as const)('by %s leaves nothing of it', async (verb) => {
    const first = await lab.open({ shutdown: 'leave', netnsDir: '/run/elsewhere' });
    await first.setup('vm-1');
    await first.close();
    expect(await readdir('/run/elsewhere')).toEqual(['vulcan-vm-1']);
    const second = await lab.open();
    if (verb === 'gc') expect((await second.gc({ keep: [] })).failed).toEqual([]);
    else await second.teardown('vm-1');
    expect(await readdir('/run/elsewhere')).toEqual([]);
    expect(await second.list()).toEqual([]);
  });
});
