import { EventEmitter, once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, it } from 'vitest';
import { resolveConfig } from '../../lib/config/manager.ts';
import { bundledPluginDirectory } from '../../lib/native/load.ts';
import { NetworkManager } from '../../lib/network-manager.ts';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { resetLab } from '../support/lab.ts';
import { native } from '../support/native.ts';
import { expectRefusal } from '../support/refusal.ts';
import { describeWith } from '../support/require.ts';
import { ip } from '../support/run.ts';

/** The addon, but for calls that the kernel refuses. */
function refusing(...names: readonly string[]) {
  return new Proxy(native, {
    get: (target, name) =>
      names.includes(String(name))
        ? () =>
            Promise.reject(
              Object.assign(new Error(`${String(name)} is refused`), {
                ...{ code: 'ENOMEM', errno: -12, syscall: String(name) },
              }),
            )
        : Reflect.get(target, name),
  });
}

describeWith(['lab', 'tun'], 'the undo of an open', () => {
  beforeEach(resetLab);

  it('goes on past what cannot be undone, and tells of both', async () => {
    const before = await canonicalDump();
    const host = {
      binding: refusing('survey', 'firewallRemove'),
      bundledPluginDir: bundledPluginDirectory(),
    };
    await expectRefusal(
      () => NetworkManager.openOn(host, resolveConfig({ verify: 'off' })),
      'ERR_KERNEL',
      /survey is refused/,
      {
        errors: [expect.objectContaining({ message: expect.stringContaining('firewallRemove is refused') })],
      },
    );
    const after = await canonicalDump();
    expect(after).toContain('fcnet');
    expect(after).not.toContain('link fcbr0');
    expect(after.split('\n').filter((line) => line.startsWith('file '))).toEqual(
      before.split('\n').filter((line) => line.startsWith('file ')),
    );
  });

  it('that was aborted says whether it is complete', async () => {
    for (const cannotUndo of [[], ['firewallRemove']] as const) {
      const controller = new AbortController();
      const refused = refusing(...cannotUndo);
      const survey = async () => {
        controller.abort('enough');
        throw Object.assign(new Error('cancelled'), { code: 'ECANCELED', errno: -125, syscall: 'survey' });
      };
      const binding = new Proxy(refused, {
        get: (target, name) => (name === 'survey' ? survey : Reflect.get(target, name)),
      });
      const host = { binding, bundledPluginDir: bundledPluginDirectory() };
      const { signal } = controller;
      await expect(
        NetworkManager.openOn(host, resolveConfig({ verify: 'off' }), { signal }),
      ).rejects.toMatchObject({ name: 'AbortError', cause: 'enough', rolledBack: cannotUndo.length === 0 });
    }
  });

  /** An open that has prepared the network, and is refused once it is told to be. */
  function openToBeRefused(options: NetworkManagerOptions = {}) {
    const events = new EventEmitter();
    const survey = async () => {
      const refused = once(events, 'refused');
      events.emit('reached');
      await refused;
      throw Object.assign(new Error('survey is refused'), { code: 'ENOMEM', errno: -12, syscall: 'survey' });
    };
    const binding = new Proxy(native, {
      get: (target, name) => (name === 'survey' ? survey : Reflect.get(target, name)),
    });
    const host = { binding, bundledPluginDir: bundledPluginDirectory() };
    const reached = once(events, 'reached');
    const failing = NetworkManager.openOn(host, resolveConfig({ verify: 'off', ...options }));
    failing.catch(() => {});
    return { reached, failing, refuse: () => events.emit('refused') };
  }

  it('takes nothing from another who has opened the network meanwhile', async () => {
    const { reached, failing, refuse } = openToBeRefused();
    await reached;
    const opening = NetworkManager.open({ verify: 'off' });
    // Long enough for one that does not wait.
    await Promise.race([opening, sleep(500)]);
    refuse();
    await expectRefusal(failing, 'ERR_KERNEL', /survey is refused/);
    await using manager = await opening;
    await manager.setup('vm-1');
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
  });

  it('gives VMs no policy of its own, and puts back the conflist, though they need the network', async () => {
    await using manager = await NetworkManager.open({ verify: 'off' });
    await manager.setup('vm-1');
    const before = await canonicalDump();
    const { reached, failing, refuse } = openToBeRefused({ hostAccess: 'all', mtu: 1400 });
    await reached;
    refuse();
    await expectRefusal(failing, 'ERR_KERNEL', /survey is refused/);
    await expectUnchanged(before);
  });

  it.each([
    ['its pool has no lock', 'lockAcquire', '.pool-'],
    ['the kernel refuses its policy', 'firewallEnsure', ''],
  ])('leaves others their policy, and nothing of a pool, where %s', async (_what, call, lock) => {
    await using manager = await NetworkManager.open({ verify: 'off' });
    await manager.setup('vm-1');
    const before = await canonicalDump();
    const refused = Reflect.get(refusing(call), call);
    const binding = new Proxy(native, {
      get: (target, name) => {
        const genuine = Reflect.get(target, name);
        if (name !== call) return genuine;
        return (plan: { readonly name?: string }) =>
          (plan.name?.startsWith(lock) === false ? genuine : refused)(plan);
      },
    });
    const options = { verify: 'off', hostAccess: 'all', pool: { min: 1, max: 1 } } as const;
    const host = { binding, bundledPluginDir: bundledPluginDirectory() };
    const open = () => NetworkManager.openOn(host, resolveConfig(options));
    await expect(open()).rejects.toThrow(`${call} is refused`);
    await expectUnchanged(before);
  });

  it('leaves what was missing of the network, and another has given to a VM meanwhile', async () => {
    await (await NetworkManager.open({ verify: 'off' })).close();
    await ip('link', 'delete', 'fcbr0');
    const { reached, failing, refuse } = openToBeRefused();
    await reached;
    await using manager = await NetworkManager.open({ verify: 'off' });
    await manager.setup('vm-1');
    refuse();
    await expectRefusal(failing, 'ERR_KERNEL', /survey is refused/);
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
    await manager.setup('vm-2');
  });
});
