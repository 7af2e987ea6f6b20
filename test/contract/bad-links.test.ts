import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it, vi } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip } from '../support/run.ts';
import { describeBackends } from './fixture.ts';
import { hostLinks, untilHostLinks } from './oracles.ts';

/** Every setup of a VM chooses this name for its link, until the test ends. */
function fixGeneration(): void {
  vi.spyOn(crypto, 'randomUUID').mockReturnValue('00000000-0000-4000-8000-000000000000');
  syncBuiltinESMExports();
}

function freeGeneration(): void {
  vi.restoreAllMocks();
  syncBuiltinESMExports();
}

describeBackends(
  'the name of a link',
  (lab) => {
    afterEach(freeGeneration);

    it.each(['veth', 'bridge'])(
      'that a %s on the host has is refused, and that link left as it is',
      async (kind) => {
        fixGeneration();
        const manager = await lab.open();
        await manager.setup('vm-1');
        const [link] = await hostLinks();
        if (link === undefined) throw new Error('the VM has no link on the host');
        await manager.teardown('vm-1');
        await untilHostLinks();
        await ip('link', 'add', link.ifname, 'type', kind);
        const before = await canonicalDump();
        await expectRefusal(manager.setup('vm-1'), 'ERR_LINK_EXISTS', /EEXIST/, {
          ...{ operation: 'setup', step: 'link', vmId: 'vm-1', path: link.ifname },
          ...{ syscall: 'RTM_NEWLINK', rolledBack: true },
        });
        // By then the manager has looked after the link that the VM had.
        await sleep(1_200);
        await expectUnchanged(before);
        freeGeneration();
        const { netnsPath } = await manager.setup('vm-1');
        expect(netnsPath).toBe('/var/run/netns/vulcan-vm-1');
        await manager.teardown('vm-1');
        await expectUnchanged(before);
      },
    );
  },
  ['native'],
);
