import { expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip, run, runIn } from '../support/run.ts';
import { describeLayouts } from './fixture.ts';
import { hostLinks, untilForwarding } from './oracles.ts';

const netns = '/var/run/netns/vulcan-vm-1';

async function hostLink(): Promise<string> {
  const [link] = await hostLinks();
  if (link === undefined) throw new Error('the VM has no link');
  return link.ifname;
}

/** What somebody did, and what `check` must then name. */
const damages: readonly (readonly [title: string, damage: () => Promise<unknown>, subject: RegExp])[] = [
  ['the link on the host is down', async () => ip('link', 'set', await hostLink(), 'down'), /^link$/],
  [
    'the port of the bridge is disabled',
    async () => {
      await untilForwarding();
      await run('bridge', ['link', 'set', 'dev', await hostLink(), 'state', '0']);
    },
    /^link$/,
  ],
  ['the link on the host is gone', async () => ip('link', 'delete', await hostLink()), /^link$/],
  ['the namespace is gone', () => ip('netns', 'delete', 'vulcan-vm-1'), /^anchor$/],
  ['the TAP is gone', () => runIn(netns, 'ip', 'link', 'delete', 'tap0'), /^(plugin:tc-redirect-tap|tap)$/],
  [
    'the redirection is gone',
    () => runIn(netns, 'tc', 'qdisc', 'delete', 'dev', 'eth0', 'ingress'),
    /^(plugin:tc-redirect-tap|redirect|qdisc|filter)$/,
  ],
  [
    'the address is gone',
    () => runIn(netns, 'ip', 'address', 'flush', 'dev', 'eth0'),
    /^(plugin:bridge|address|route)$/,
  ],
];

describeLayouts('check', (lab) => {
  it('finds nothing wrong right after setup, and changes nothing', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    const before = await canonicalDump();
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
    await expectUnchanged(before);
  });

  const possible = damages.filter(([title]) => lab.isBridged || !title.includes('bridge'));
  it.each(possible)('tells when %s', async (_title, damage, subject) => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    await manager.setup('vm-2');
    await damage();
    const { ok, differences } = await manager.check('vm-1');
    expect(ok).toBe(false);
    expect(differences.map((difference) => difference.subject)).toContainEqual(
      expect.stringMatching(subject),
    );
    for (const { message } of differences) expect(message).not.toBe('');
    expect(await manager.check('vm-2')).toEqual({ ok: true, differences: [] });
  });

  it('refuses a VM that has no network, and leaves no lock behind', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    await expectRefusal(manager.check('vm-1'), 'ERR_ATTACHMENT_NOT_FOUND', 'vm-1 has no network fcnet', {
      ...{ operation: 'check', vmId: 'vm-1', network: 'fcnet' },
    });
    await expectUnchanged(before);
  });

  it('works for another manager', async () => {
    await (await lab.open()).setup('vm-1');
    expect(await (await lab.open()).check('vm-1')).toEqual({ ok: true, differences: [] });
  });
});
