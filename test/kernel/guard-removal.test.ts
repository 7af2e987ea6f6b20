import { beforeEach, describe, expect, it } from 'vitest';
import { resetLab } from '../support/lab.ts';
import { native } from '../support/native.ts';
import { nft } from '../support/run.ts';

const kinds = [
  ['a bridge port', false, 'bridge vulcan'],
  ['a link that is routed to', true, 'inet vulcan_guard'],
] as const;

const portOf = (routed: boolean, vm: number) => ({
  link: `vn${String(vm).padStart(13, '0')}`,
  bindings: [{ mac: `02:00:00:00:00:${String(vm).padStart(2, '0')}`, ip: `10.168.0.${vm}` }],
  ...(routed ? { routed } : {}),
});

async function removalMs(port: ReturnType<typeof portOf>): Promise<number> {
  const begin = performance.now();
  await native.guardRemove(port);
  return performance.now() - begin;
}

describe.each(kinds)('what guards %s', (_, routed, table) => {
  beforeEach(async () => {
    await resetLab();
    await native.guardEnsure({ routed });
  });

  it('goes, and no other’s', async () => {
    const [gone, kept] = [portOf(routed, 1), portOf(routed, 2)];
    for (const port of [gone, kept]) await native.guardAdd(port);
    await native.guardRemove(gone);
    expect(await native.guardList({})).toMatchObject([kept]);
  });

  it('goes though somebody has removed a part of it', async () => {
    const port = portOf(routed, 1);
    await native.guardAdd(port);
    await nft('flush', 'set', ...table.split(' '), 'bindings4');
    await native.guardRemove(port);
    expect(await native.guardList({})).toEqual([]);
  });

  it('need not be there, nor its table', async () => {
    await native.guardRemove(portOf(routed, 1));
    await nft('flush', 'ruleset');
    await native.guardRemove(portOf(routed, 1));
    expect(await native.guardList({})).toEqual([]);
  });

  it('is not waited for where it has gone: a transaction that fails takes a grace period', async () => {
    const [present, absent]: [number[], number[]] = [[], []];
    for (let vm = 1; vm <= 21; vm++) {
      const port = portOf(routed, vm);
      await native.guardAdd(port);
      present.push(await removalMs(port));
      absent.push(await removalMs(port));
    }
    expect(Math.min(...absent)).toBeLessThan(8 * Math.min(...present));
  });
});
