import { rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { resolveConfig } from '../../lib/config/manager.ts';
import type { NativeBinding } from '../../lib/native/binding.ts';
import { bundledPluginDirectory } from '../../lib/native/load.ts';
import { NetworkManager } from '../../lib/network-manager.ts';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import { linksOf } from '../contract/oracles.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { interrupted } from '../support/interrupted.ts';
import { resetLab, until } from '../support/lab.ts';
import { native } from '../support/native.ts';
import { describeWith } from '../support/require.ts';
import { ip } from '../support/run.ts';
import { Vmms } from '../support/vmm.ts';

/** What one manager does between two steps of another. */

const vmms = new Vmms();
const managers: NetworkManager[] = [];

async function open(binding: NativeBinding, options: NetworkManagerOptions = {}): Promise<NetworkManager> {
  const config = resolveConfig({ verify: 'off', ...options });
  const host = { binding, bundledPluginDir: bundledPluginDirectory() };
  const manager = await NetworkManager.openOn(host, config);
  managers.push(manager);
  return manager;
}

/** `gone`: a manager deletes a link, a second or so after the teardown, whose namespace somebody holds. */
async function portStateOf(name: string): Promise<unknown> {
  const link = (await linksOf(null)).find(({ ifname }) => ifname === name);
  return link === undefined ? 'gone' : link.linkinfo?.info_slave_data?.['state'];
}

describeWith(['lab', 'tun'], 'two native managers', () => {
  beforeEach(resetLab);
  afterEach(async () => {
    await vmms.end();
    for (const manager of managers.splice(0)) await manager.close();
  });

  it('leave nothing of a VM that one sets up again while the other is about to tear it down', async () => {
    const first = await open(native);
    const before = await canonicalDump();
    await first.setup('vm-1', { address: '10.168.0.7' });
    const second = await open(
      interrupted('detach', {
        before: async () => {
          await first.teardown('vm-1');
          await first.setup('vm-1', { address: '10.168.0.8' });
        },
      }),
    );
    await second.teardown('vm-1');
    await expectUnchanged(before);
  });

  it('keep a VM off the network that one tears down before the other has labelled its link', async () => {
    const second = await open(native);
    const seen: unknown[] = [];
    let link = '';
    const first = await open(
      interrupted('linkLabel', {
        before: async () => {
          const [port] = (await linksOf(null)).filter(({ ifname }) => ifname.startsWith('vn'));
          link = port?.ifname ?? '';
          await vmms.start('/run/netns/vulcan-vm-1');
          await second.teardown('vm-1');
          seen.push(await portStateOf(link));
        },
        after: async () => void seen.push(await portStateOf(link)),
      }),
      { pool: { min: 1, max: 1 } },
    );
    await first.warmUp();
    await first.setup('vm-1');
    await until('the label', () => seen.length === 2);
    for (const state of seen) expect(['disabled', 'gone']).toContain(state);
    await until('the end of the link', async () =>
      (await linksOf(null)).every(({ ifname }) => ifname !== link),
    );
  });

  it('keep a VM off the network that one tears down while the other is opened and labels links', async () => {
    const first = await open(native);
    const { hostLink } = await hostLinkOf(first, 'vm-1');
    await ip('link', 'set', hostLink, 'alias', '');
    await vmms.start('/run/netns/vulcan-vm-1');
    await open(interrupted('survey', { after: () => first.teardown('vm-1') }));
    expect(['disabled', 'gone']).toContain(await portStateOf(hostLink));
  });

  it('leave what guards an address that somebody has, who may be about to make his link', async () => {
    const first = await open(native);
    await first.setup('vm-1');
    const before = await native.guardList({});
    const guest = { mac: '02:00:00:00:00:09', ip: '10.168.0.9' };
    await native.guardAdd({ link: 'vn0123456789abc', bindings: [guest] });
    const reservation = '/run/cni/networks/fcnet/10.168.0.9';
    await writeFile(reservation, 'vm-9\r\neth0');
    const sweep = async () => void (await open(native, { shutdown: 'leave' }));
    await sweep();
    expect(await native.guardList({})).toHaveLength(before.length + 1);
    await rm(reservation);
    await sweep();
    expect(await native.guardList({})).toEqual(before);
  });

  it("sweep what guards a chain's link that is gone, whichever network's, and no link that is there", async () => {
    await open(native, { shutdown: 'leave' });
    const bindings = [{ mac: '02:00:00:00:00:09', ip: '192.0.2.9' }];
    await ip('link', 'add', 'vethdeadbee2', 'type', 'bridge');
    await native.guardAdd({ link: 'vethdeadbee1', bindings });
    await native.guardAdd({ link: 'vethdeadbee2', bindings });
    await native.guardAdd({ link: 'vn0123456789abc', bindings });
    const guarded = async () => (await native.guardList({})).map(({ link }) => link);
    await open(native, { shutdown: 'leave' });
    expect(await guarded()).toEqual(['vethdeadbee2', 'vn0123456789abc']);
    await ip('link', 'del', 'vethdeadbee2');
    const manager = await open(native, { shutdown: 'leave' });
    await manager.gc({ keep: [] });
    // Another network's slot may be about to be built with it.
    expect(await guarded()).toEqual(['vn0123456789abc']);
  });
});

/** Sets the VM up. */
async function hostLinkOf(manager: NetworkManager, vmId: string): Promise<{ readonly hostLink: string }> {
  await manager.setup(vmId);
  const [link] = (await linksOf(null)).filter(({ ifname }) => ifname.startsWith('vn'));
  return { hostLink: link?.ifname ?? '' };
}
