import { beforeEach, expect, it } from 'vitest';
import { resolveConfig } from '../../lib/config/manager.ts';
import type { NativeBinding } from '../../lib/native/binding.ts';
import { bundledPluginDirectory } from '../../lib/native/load.ts';
import { NetworkManager } from '../../lib/network-manager.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { resetLab } from '../support/lab.ts';
import { native } from '../support/native.ts';
import { describeWith } from '../support/require.ts';

/** How often a VM's verbs call native code: every call costs two threads a wake-up. */
describeWith(['tun'], 'calls of native code', () => {
  let calls: string[];

  beforeEach(resetLab);

  const counting = (): NativeBinding =>
    new Proxy(native, {
      get: (binding, name: keyof NativeBinding) => {
        const call = binding[name] as (...args: unknown[]) => unknown;
        return (...args: unknown[]) => {
          // No verb's: it comes when its time has come.
          if (name !== 'namespacesPart') calls.push(name);
          return call(...args);
        };
      },
    });

  async function open(): Promise<NetworkManager> {
    const host = { binding: counting(), bundledPluginDir: bundledPluginDirectory() };
    const manager = await NetworkManager.openOn(host, resolveConfig({ verify: 'off' }));
    calls = [];
    return manager;
  }

  it('are one for a setup, and one for its teardown', async () => {
    calls = [];
    await using manager = await open();
    for (const vmId of ['vm-1', 'vm-2']) await manager.setup(vmId);
    expect(calls).toEqual(['attach', 'attach']);
    calls = [];
    await manager.teardown('vm-1');
    expect(calls).toEqual(['detach']);
  });

  it('are more where somebody else has set the VM up again meanwhile, and take that away', async () => {
    calls = [];
    await using first = await open();
    await using second = await open();
    await first.setup('vm-0');
    await first.teardown('vm-0');
    const before = await canonicalDump();
    await first.setup('vm-1');
    await second.teardown('vm-1');
    await second.setup('vm-1');
    calls = [];
    await first.teardown('vm-1');
    expect(calls.filter((name) => name === 'detach')).toHaveLength(2);
    await expectUnchanged(before);
  });

  it('leave nothing where somebody else has torn the VM down meanwhile', async () => {
    calls = [];
    await using first = await open();
    await using second = await open();
    await first.setup('vm-0');
    await first.teardown('vm-0');
    const before = await canonicalDump();
    await first.setup('vm-1');
    await second.teardown('vm-1');
    await first.teardown('vm-1');
    await expectUnchanged(before);
  });
});
