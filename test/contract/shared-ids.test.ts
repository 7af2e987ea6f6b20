import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { SetupOptions } from '../../lib/index.ts';
import type { NetworkManager } from '../../lib/network-manager.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { holdNamespace } from '../support/holder.ts';
import { expectRefusal } from '../support/refusal.ts';
import { run } from '../support/run.ts';
import { type ContractLab, describeBackends } from './fixture.ts';

type Setup = readonly [vmId: string, options?: SetupOptions];

const chosen: Setup = ['vm-a', { containerId: 'vm-m' }];
const isWhole = { ok: true, differences: [] };

/** One of them has the attachment of that id, whole; then it is torn down, and nothing is left. */
async function expectOneOf(
  managers: readonly [NetworkManager, NetworkManager],
  setups: readonly [Setup, Setup],
) {
  const before = await canonicalDump();
  const begun = setups.map(([vmId, options], index) => managers[index % 2]?.setup(vmId, options));
  const [first, second] = await Promise.allSettled(begun);
  const [won, lost] = first?.status === 'fulfilled' ? [first, second] : [second, first];
  expect(lost).toMatchObject({ status: 'rejected', reason: { code: 'ERR_ATTACHMENT_EXISTS' } });
  expect(won).toMatchObject({ status: 'fulfilled' });
  if (won?.status !== 'fulfilled' || won.value === undefined) return;
  const { vmId, containerId, guestIp } = won.value;
  const owner = await readFile(`/run/cni/networks/fcnet/${guestIp}`, 'utf8');
  expect(owner).toBe(`${containerId}\r\neth0`);
  expect(await managers[0].check(vmId)).toEqual(isWhole);
  await managers[0].teardown(vmId, { wait: true });
  await expectUnchanged(before);
}

describeBackends('an id of an attachment that two VMs want at once', (lab) => {
  const others: readonly (readonly [string, Setup])[] = [
    ['both chose it', ['vm-b', { containerId: 'vm-m' }]],
    ['both chose it, the second by the other order of names', ['vm-z', { containerId: 'vm-m' }]],
    ['for one it is its own', ['vm-m']],
  ];

  it.each(others)('%s: one VM has it, the other is told', async (_title, other) => {
    const [manager, second] = [await lab.open(), await lab.open()];
    // What the first set-up of a network makes for good.
    await manager.setup('vm-0');
    for (const managers of [[manager, manager] as const, [manager, second] as const]) {
      await expectOneOf(managers, [chosen, other]);
      await expectOneOf(managers, [other, chosen]);
    }
  });

  it('and each has chosen the name of the other: both have theirs', async () => {
    const manager = await lab.open();
    const setups: readonly Setup[] = [chosen, ['vm-m', { containerId: 'vm-a' }]];
    const nets = await Promise.all(setups.map(([vmId, options]) => manager.setup(vmId, options)));
    expect(nets.map(({ containerId }) => containerId)).toEqual(['vm-m', 'vm-a']);
    for (const { vmId } of nets) expect(await manager.check(vmId)).toEqual(isWhole);
  });
});

describeBackends('an id of an attachment', (lab) => {
  /** What a set-up of a VM of that name leaves that was killed before it had begun. */
  const leaveLock = async ({ stateDir }: ContractLab) => {
    await mkdir(`${stateDir}/locks`, { recursive: true });
    await writeFile(`${stateDir}/locks/vm-m`, '');
  };

  it('is refused to another VM where the one that has it lost its namespace’s name', async () => {
    const manager = await lab.open();
    const { netnsPath } = await manager.setup(...chosen);
    await using _ = await holdNamespace('vulcan-vm-a');
    await run('umount', [netnsPath]);
    await run('rm', [netnsPath]);
    const before = await canonicalDump();
    const setup = manager.setup('vm-b', { containerId: 'vm-m' });
    await expectRefusal(setup, 'ERR_ATTACHMENT_EXISTS', 'already has its network');
    await expectUnchanged(before);
  });

  it.each(['open', 'gc', 'repair'] as const)(
    'is not taken for a dead VM of that name by %s',
    async (verb) => {
      const manager = await lab.open();
      await manager.setup(...chosen);
      const before = await canonicalDump();
      await leaveLock(lab);
      if (verb === 'open') {
        const { recovery } = await lab.open();
        expect(recovery).toEqual({ removed: [], restored: [], failed: [] });
      } else if (verb === 'gc') {
        expect(await manager.gc({ keep: ['vm-a'] })).toEqual({ removed: [], failed: [] });
      } else {
        expect(await manager.repair()).toMatchObject({ ok: true, repaired: [] });
      }
      await expectUnchanged(before);
      expect(await manager.check('vm-a')).toEqual(isWhole);
    },
  );
});
