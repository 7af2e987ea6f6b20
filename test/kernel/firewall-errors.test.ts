import { beforeEach, describe, expect, it } from 'vitest';
import type { NativeError } from '../../lib/native/error.ts';
import { listTable, networkPlan } from '../support/firewall.ts';
import { resetLab } from '../support/lab.ts';
import { addonFile, native } from '../support/native.ts';
import { nft, outcomeOf, run } from '../support/run.ts';

const red = networkPlan('red', 'red0', '10.168.0.0/24');

describe('an error of the firewall', () => {
  beforeEach(resetLab);

  it('names the message that the kernel refused, and what it was about', async () => {
    const table = 'table inet vulcan { comment "vulcan-net layout 5"; set ipv6 { type ether_addr; }; }';
    await outcomeOf('nft', ['-f', '-'], { input: table });
    const before = await listTable();
    await expect(native.firewallEnsure(red)).rejects.toMatchObject({
      code: 'EEXIST',
      syscall: 'NFT_MSG_NEWSET',
      path: 'set ipv6',
    });
    expect(await listTable()).toBe(before);
  });

  it('says when a newer table has no place for an element', async () => {
    await nft('add table inet vulcan { comment "vulcan-net layout 1000"; }');
    await expect(native.firewallEnsure(red)).rejects.toMatchObject({
      code: 'ENOENT',
      syscall: 'NFT_MSG_NEWSETELEM',
      path: 'set bridges',
    });
  });

  it.each([
    ['a bridge name of more than 15 bytes', { bridges: ['a-name-that-is-too-long'] }, 'EINVAL'],
    ['an empty bridge name', { bridges: [''] }, 'EINVAL'],
    ['a subnet that is none', { subnets: ['10.168.0.0/33'] }, 'EINVAL'],
    ['a gateway that is none', { gateways: ['10.168.0'] }, 'EINVAL'],
    ['a name that fits no comment', { network: 'n'.repeat(128) }, 'ENAMETOOLONG'],
  ])('comes of %s, and nothing is left', async (_what, change, code) => {
    await expect(native.firewallEnsure({ ...red, ...change })).rejects.toMatchObject({ code });
    expect(await nft('list', 'ruleset')).toBe('');
  });

  it('comes of missing privilege', async () => {
    const script = `require(${JSON.stringify(addonFile)}).firewallList({}).catch((e) => console.log(e.code))`;
    const drop = ['--bounding-set=-all', '--inh-caps=-all', '--', process.execPath, '-e', script];
    expect((await run('setpriv', drop)).trim()).toBe('EPERM');
  });

  it('is ECANCELED when the task was cancelled before its turn', async () => {
    const plan = { ...networkPlan('blue', 'blue0', '10.169.0.0/24'), taskId: 4_000_000_000 };
    // This thread may be kept from it for longer than all the earlier ones take.
    const cancelled = async () => {
      const earlier = Array.from({ length: 100 }, () => native.firewallEnsure(red));
      const outcome = native.firewallEnsure(plan).catch((error: NativeError) => error);
      native.cancel(plan.taskId);
      await Promise.all(earlier);
      return outcome;
    };
    let outcome = await cancelled();
    for (let round = 1; round < 20 && !(outcome instanceof Error); round += 1) {
      await native.firewallRemove({ network: 'blue' });
      outcome = await cancelled();
    }
    expect(outcome).toMatchObject({ code: 'ECANCELED' });
    expect(await native.firewallList({})).toEqual(['red']);
  });

  it('is none when someone else changes the ruleset all the time', async () => {
    let stopped = false;
    const others = (async () => {
      while (!stopped) await nft('add table ip busy; delete table ip busy');
    })();
    for (let i = 0; i < 30; i++) {
      await native.firewallEnsure({ ...red, hostAccess: [{ protocol: 6, port: 1 + i }] });
      expect(await native.firewallList({})).toEqual(['red']);
      await native.firewallRemove({ network: 'red' });
    }
    stopped = true;
    await others;
    expect(await nft('list', 'ruleset')).toBe('');
  });
});
