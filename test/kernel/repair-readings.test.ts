import { beforeEach, expect, it } from 'vitest';
import { resolveConfig } from '../../lib/config/manager.ts';
import type { NativeBinding } from '../../lib/native/binding.ts';
import { bundledPluginDirectory } from '../../lib/native/load.ts';
import type { DumpPlan } from '../../lib/native/netlink.ts';
import { NetworkManager } from '../../lib/network-manager.ts';
import type { RepairReport } from '../../lib/types.ts';
import { resetLab } from '../support/lab.ts';
import { native } from '../support/native.ts';
import { describeWith } from '../support/require.ts';
import { nft } from '../support/run.ts';

/** What reads all there is of its kind on the host, and so takes longer the more VMs there are. */
const whole = new Set<PropertyKey>(['survey', 'guardList', 'firewallCheck', 'fileReadAll']);

function counting(count: (name: PropertyKey) => void): NativeBinding {
  return new Proxy(native, {
    get(target, name: keyof NativeBinding) {
      const call = target[name] as (plan: unknown) => unknown;
      return (plan: unknown) => {
        const isOfHost = name === 'dump' && (plan as DumpPlan).netns === undefined;
        if (isOfHost || whole.has(name)) count(name);
        return call(plan);
      };
    },
  });
}

describeWith(['lab', 'tun'], 'what repair reads of the host', () => {
  beforeEach(resetLab);

  const vmIds = ['vm-1', 'vm-2', 'vm-3', 'vm-4', 'vm-5', 'vm-6'];

  async function readings(
    count: number,
    damage: () => Promise<unknown>,
  ): Promise<{ readonly names: readonly string[]; readonly report: RepairReport }> {
    let names: string[] = [];
    const binding = counting((name) => void names.push(String(name)));
    const host = { binding, bundledPluginDir: bundledPluginDirectory() };
    const options = { backend: 'native', layout: 'routed', verify: 'off' } as const;
    const manager = await NetworkManager.openOn(host, resolveConfig(options));
    for (const vmId of vmIds.slice(0, count)) await manager.setup(vmId);
    await damage();
    names = [];
    const report = await manager.repair();
    const made = names.toSorted();
    await manager.gc({ keep: [] });
    await manager.close();
    return { names: made, report };
  }

  it('is as much for six VMs as for one, where nothing differs', async () => {
    const nothing = async () => {};
    const { names } = await readings(1, nothing);
    const six = await readings(6, nothing);
    expect(six.report).toEqual({ ok: true, repaired: [], failed: [] });
    expect(six.names).toEqual(names);
  });

  it('is read as often where all of them are put back', async () => {
    const flush = () => nft('flush', 'ruleset');
    const { names } = await readings(1, flush);
    const six = await readings(6, flush);
    expect({ ...six.report, repaired: [] }).toEqual({ ok: true, repaired: [], failed: [] });
    const guarded = six.report.repaired.filter(({ subject }) => subject === 'guard');
    expect(guarded.map(({ vmId }) => vmId)).toEqual(vmIds);
    expect(six.names).toEqual(names);
  });
});
