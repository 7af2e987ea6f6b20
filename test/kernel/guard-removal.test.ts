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

describe.each(kinds)('what guards %s, by another version', (_, routed, table) => {
  const [family = '', name = ''] = table.split(' ');
  const rules = () => nft('list', 'chain', family, name, 'guard');

  beforeEach(async () => {
    await resetLab();
    await native.guardEnsure({ routed });
    await native.guardAdd(portOf(routed, 1));
  });

  /** With the same port, and a rule of its own. */
  async function remake(layout: number): Promise<void> {
    const { link, bindings } = portOf(routed, 1);
    const elements = bindings.map(({ mac, ip }) => `${link} . ${mac} . ${ip}`);
    await nft('delete', 'table', family, name);
    await nft(`table ${table} {
      comment "vulcan-net guard ${layout}"
      set ports { type ifname; elements = { ${link} }; }
      set bindings4 { type ifname . ether_addr . ipv4_addr; elements = { ${elements} }; }
      set bindings6 { type ifname . ether_addr . ipv6_addr; }
      chain guard { meta mark 7 accept; }
    }`);
  }

  it('keeps its rules when that is newer', async () => {
    await remake(1000);
    const before = await rules();
    expect(await native.guardCheck({ routed })).toEqual([]);
    await native.guardEnsure({ routed });
    expect(await rules()).toBe(before);
    expect(await native.guardList({})).toMatchObject([portOf(routed, 1)]);
  });

  it('is made anew, with what it guards, when that is older', async () => {
    const before = await nft('list', 'table', family, name);
    await remake(1);
    expect(await native.guardCheck({ routed })).toEqual(['rules']);
    await native.guardEnsure({ routed });
    expect(await nft('list', 'table', family, name)).toBe(before);
    expect(await native.guardList({})).toMatchObject([portOf(routed, 1)]);
  });
});
