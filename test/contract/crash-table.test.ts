import { readdir, rm, writeFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { type CrashRow, crashTable, type Piece } from '../../lib/backends/crash-table.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { until } from '../support/lab.ts';
import { ip, nft, runIn } from '../support/run.ts';
import { describeBackends } from './fixture.ts';
import { hostLinks } from './oracles.ts';

const store = '/run/cni/networks/fcnet';

/** How a whole attachment loses each piece. Without its namespace's name it loses its link, too. */
const removals = (stateDir: string): Readonly<Record<Exclude<Piece, 'pooled'>, () => Promise<unknown>>> => ({
  lock: () => rm(`${stateDir}/locks/vm-1`),
  address: async () => {
    for (const name of await readdir(store)) if (/^\d+\.\d/.test(name)) await rm(`${store}/${name}`);
  },
  guard: async () => {
    for (const set of ['ports', 'bindings4']) await nft('flush', 'set', 'bridge', 'vulcan', set);
  },
  anchor: () => ip('netns', 'delete', 'vulcan-vm-1'),
  link: async () => {
    for (const { ifname } of await hostLinks()) await ip('link', 'delete', ifname).catch(() => {});
    await until('the link to go', async () => (await hostLinks()).length === 0);
  },
  record: () => rm(`${stateDir}/results/fcnet-vm-1-eth0`),
});

const pieces = ['guard', 'record', 'anchor', 'link', 'address', 'lock'] as const;

/** Of a process that is dead: nobody holds its lock. */
async function giveToDeadPool(stateDir: string): Promise<void> {
  const owner = '.pool-0123456789abcdef';
  for (const name of await readdir(store)) {
    if (/^\d+\.\d/.test(name)) await writeFile(`${store}/${name}`, owner);
  }
  await writeFile(`${stateDir}/locks/${owner}-fcnet`, '');
}

async function leave({ leaves, cut }: CrashRow, stateDir: string): Promise<void> {
  const remove = removals(stateDir);
  const isPooled = leaves.includes('pooled');
  for (const piece of pieces) {
    if (!leaves.includes(piece) && !(piece === 'address' && isPooled)) await remove[piece]();
  }
  if (isPooled) await giveToDeadPool(stateDir);
  if (!cut) return;
  for (const { ifname } of await hostLinks())
    await runIn('/proc/self/ns/net', 'bridge', 'link', 'set', 'dev', ifname, 'state', '0');
}

describeBackends('after a crash', (lab) => {
  const rows = crashTable.filter(({ backend }) => backend === lab.backend);

  it.each(rows)('of $verb, $instant: what is left is $becomes', async (crash) => {
    const dead = await lab.open({ shutdown: 'leave' });
    const before = await canonicalDump();
    await dead.setup('vm-1');
    await leave(crash, lab.stateDir);
    const manager = await lab.open();
    expect(manager.recovery.failed).toEqual([]);
    expect((await manager.list()).map(({ vmId }) => vmId)).toEqual(
      crash.becomes === 'adopted' ? ['vm-1'] : [],
    );
    if (crash.becomes === 'adopted') await manager.teardown('vm-1', { wait: true });
    await expectUnchanged(before);
    await manager.setup('vm-1');
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
  });

  it('gc removes the same', async () => {
    for (const crash of rows) {
      const manager = await lab.open({ shutdown: 'leave' });
      await manager.gc({ keep: [] });
      const before = await canonicalDump();
      await manager.setup('vm-1');
      await leave(crash, lab.stateDir);
      expect((await manager.gc({ keep: [] })).failed).toEqual([]);
      await expectUnchanged(before);
      await manager.close();
    }
  });
});
