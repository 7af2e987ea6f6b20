import { afterEach, beforeEach, expect, it } from 'vitest';
import { NetworkManager } from '../../lib/network-manager.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { resetLab } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { describeWith } from '../support/require.ts';
import { outcomeOf } from '../support/run.ts';

/** All that a bridge of the kernel's can have (`BR_MAX_PORTS` - 1). */
const maxPorts = 1_023;

/** The kernel deletes what is of one group at once, which takes no longer than one link. */
const group = '1023';

/** Both ends of each pair are ports. */
async function addPorts(bridge: string, count: number): Promise<void> {
  const pairs = Array.from({ length: count / 2 }, (_value, index) => [`one${index}`, `two${index}`]);
  const lines = pairs.flatMap(([one, two]) => [
    `link add ${one} master ${bridge} group ${group} type veth peer name ${two}`,
    `link set ${two} master ${bridge}`,
  ]);
  const { exitCode, stderr } = await outcomeOf('ip', ['-batch', '-'], { input: lines.join('\n') });
  expect(exitCode, stderr).toBe(0);
}

describeWith(['lab', 'tun'], 'a bridge', () => {
  beforeEach(resetLab);
  afterEach(() => outcomeOf('ip', ['link', 'delete', 'group', group]), 120_000);

  it('takes as many ports as the kernel lets it, and says so at the next, which leaves nothing', async () => {
    await using manager = await NetworkManager.open({ backend: 'native', verify: 'off' });
    await addPorts('fcbr0', maxPorts - 1);
    await manager.setup('vm-1');
    const before = await canonicalDump();
    await expectRefusal(manager.setup('vm-2'), 'ERR_BRIDGE_FULL', /1023 ports/, {
      ...{ operation: 'setup', vmId: 'vm-2', rolledBack: true },
    });
    await expectUnchanged(before);
  });

  it('that slots have filled makes room for a setup that none of them fits', async () => {
    await using manager = await NetworkManager.open({ verify: 'off', pool: { min: 3, max: 3 } });
    await manager.warmUp();
    await addPorts('fcbr0', maxPorts - 3);
    for (const vmId of ['vm-1', 'vm-2', 'vm-3']) {
      const net = await manager.setup(vmId, { mac: `02:00:00:00:00:0${vmId.slice(3)}` });
      expect(net.origin).toBe('cold');
      expect(await manager.check(vmId)).toEqual({ ok: true, differences: [] });
    }
    await expectRefusal(manager.setup('vm-4', { mac: '02:00:00:00:00:04' }), 'ERR_BRIDGE_FULL', /1023 ports/);
  });
});
