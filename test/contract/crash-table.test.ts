import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { expect, it } from 'vitest';
import { type CrashRow, crashTable, type Piece } from '../../lib/backends/recovery/crash-table.ts';
import type { NetworkManager } from '../../lib/network-manager.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { until } from '../support/lab.ts';
import { ip, nft, runIn } from '../support/run.ts';
import { describeBackends } from './fixture.ts';
import { hostLinks } from './oracles.ts';

const store = '/run/cni/networks/fcnet';

/** How a whole attachment loses each piece. Without its namespace's name it loses its link, too. */
const removals = (
  stateDir: string,
  id: string,
): Readonly<Record<Exclude<Piece, 'pooled'>, () => Promise<unknown>>> => ({
  lock: () => rm(`${stateDir}/locks/vm-1`),
  address: async () => {
    for (const name of await readdir(store)) if (isIP(name) !== 0) await rm(`${store}/${name}`);
  },
  guard: async () => {
    for (const set of ['ports', 'bindings4']) await nft('flush', 'set', 'bridge', 'vulcan', set);
  },
  anchor: () => ip('netns', 'delete', 'vulcan-vm-1'),
  link: async () => {
    for (const { ifname } of await hostLinks()) await ip('link', 'delete', ifname).catch(() => {});
    await until('the link to go', async () => (await hostLinks()).length === 0);
  },
  record: () => rm(`${stateDir}/results/fcnet-${id}-eth0`),
});

const pieces = ['guard', 'record', 'anchor', 'link', 'address', 'lock'] as const;

/** Of a process that is dead: nobody holds its lock. */
async function giveToDeadPool(stateDir: string): Promise<void> {
  const owner = '.pool-0123456789abcdef';
  for (const name of await readdir(store)) {
    if (isIP(name) !== 0) await writeFile(`${store}/${name}`, owner);
  }
  await writeFile(`${stateDir}/locks/${owner}-fcnet`, '');
}

async function leave({ id, verb, leaves, cut }: Case, stateDir: string): Promise<void> {
  const remove = removals(stateDir, id);
  const isPooled = leaves.includes('pooled');
  for (const piece of pieces) {
    if (!leaves.includes(piece) && !(piece === 'address' && isPooled)) await remove[piece]();
  }
  if (isPooled) await giveToDeadPool(stateDir);
  if (verb === 'setup' && leaves.includes('lock') && !leaves.includes('anchor')) await unclaim(stateDir);
  if (!cut) return;
  for (const { ifname } of await hostLinks())
    await runIn('/proc/self/ns/net', 'bridge', 'link', 'set', 'dev', ifname, 'state', '0');
}

const guarded = async () => (await nft('list', 'set', 'bridge', 'vulcan', 'ports')).includes('elements');

/** No namespace is made yet. */
async function unclaim(stateDir: string): Promise<void> {
  const lock = `${stateDir}/locks/vm-1`;
  const [, ...more] = (await readFile(lock, 'utf8')).split('\n');
  await writeFile(lock, more.join('\n') === '' ? '' : ['', ...more].join('\n'));
}

interface Case extends CrashRow {
  /** The attachment's containerId. A teardown finds it in the record; what has none yet, in the lock. */
  readonly id: string;
}

const casesOf = (row: CrashRow): readonly Case[] =>
  (row.verb === 'setup' ? ['vm-1', 'id-1'] : ['vm-1']).map((id) => ({ ...row, id }));

describeBackends('after a crash', (lab) => {
  const rows = crashTable.filter(({ backend }) => backend === lab.backend);

  const cases = rows.flatMap(casesOf);

  it.each(cases)('of $verb, $instant: what is left is $becomes, for $id', async (crash) => {
    const dead = await lab.open({ shutdown: 'leave' });
    const before = await canonicalDump();
    await dead.setup('vm-1', { containerId: crash.id });
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

  it('of a recovery, what was guarded goes with the next one', async () => {
    const dead = await lab.open({ shutdown: 'leave' });
    const before = await canonicalDump();
    const link = 'vn0123456789abc';
    const binding = `${link} . 02:00:00:00:00:01 . 10.168.0.2`;
    await nft('add', 'element', 'bridge', 'vulcan', 'ports', '{', link, '}');
    await nft('add', 'element', 'bridge', 'vulcan', 'bindings4', '{', binding, '}');
    await dead.close();
    const { recovery } = await lab.open();
    expect(recovery).toEqual({ removed: [], restored: [], failed: [] });
    await expectUnchanged(before);
  });

  const verbs: Readonly<Record<string, (manager: NetworkManager) => Promise<unknown>>> = {
    gc: async (manager) => expect((await manager.gc({ keep: [] })).failed).toEqual([]),
    teardown: (manager) => manager.teardown('vm-1'),
    setup: async (manager) => {
      await manager.setup('vm-1');
      await manager.teardown('vm-1');
    },
  };

  it.each(Object.entries(verbs))('%s finds the same', async (name, verb) => {
    const dead = await lab.open({ shutdown: 'leave' });
    const manager = await lab.open();
    const before = await canonicalDump();
    // Whoever is told of one VM alone, and of no record.
    const isHard = ({ becomes, verb }: Case) => becomes === 'removed' && verb === 'setup';
    for (const crash of name === 'gc' ? cases : cases.filter(isHard)) {
      await dead.setup('vm-1', { containerId: crash.id });
      await leave(crash, lab.stateDir);
      await verb(manager);
      const taken = (await readdir(store)).filter((name) => isIP(name) !== 0);
      expect({ ...crash, taken, guarded: await guarded() }).toEqual({ ...crash, taken: [], guarded: false });
      await until('the links to go', async () => (await hostLinks()).length === 0);
    }
    await expectUnchanged(before);
  });
});
