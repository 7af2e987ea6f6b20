import { lutimes, mkdir, symlink, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { addNamespace, netnsDir } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip } from '../support/run.ts';
import { describeBackends } from './fixture.ts';

const anchor = `${netnsDir}/vulcan-vm-1`;

/** What may stand where a VM's namespace belongs. */
const foreigners: readonly (readonly [title: string, make: () => Promise<unknown>])[] = [
  ['a namespace of someone else', () => addNamespace('vulcan-vm-1')],
  ['a file that was made just now', () => writeFile(anchor, '')],
  ['a file with something in it', () => writeFile(anchor, 'mine')],
  ['a directory', () => mkdir(anchor)],
  ['a symlink', () => symlink('/etc/passwd', anchor)],
];

/** A file that is older than two seconds may be taken; a namespace has no time that could be set. */
async function whileYoung(work: () => Promise<unknown>): Promise<void> {
  const renew = () => lutimes(anchor, new Date(), new Date()).catch(() => {});
  await renew();
  const timer = setInterval(renew, 100);
  await work().finally(() => clearInterval(timer));
}

describeBackends('an anchor where', (lab) => {
  it.each(foreigners)('%s stands is refused, and left as it is', async (_title, make) => {
    const manager = await lab.open();
    await mkdir(netnsDir, { recursive: true });
    await make();
    const before = await canonicalDump();
    await whileYoung(() =>
      expectRefusal(manager.setup('vm-1'), 'ERR_NETNS_FOREIGN', 'that this library did not make', {
        ...{ operation: 'setup', step: 'anchor', vmId: 'vm-1', path: anchor },
      }),
    );
    await expectUnchanged(before);
    await whileYoung(() => manager.teardown('vm-1'));
    await expectUnchanged(before);
  });

  it("the host's own namespace stands is refused, and left as it is", async () => {
    const manager = await lab.open();
    await ip('netns', 'attach', 'vulcan-vm-1', String(process.pid));
    const before = await canonicalDump();
    await expectRefusal(manager.setup('vm-1'), 'ERR_NETNS_HOST', "the host's own network namespace", {
      ...{ operation: 'setup', vmId: 'vm-1', path: anchor },
    });
    await expectUnchanged(before);
    await manager.teardown('vm-1');
    await expectUnchanged(before);
  });

  it("an old empty file stands that is nobody's is taken", async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    await mkdir(netnsDir, { recursive: true });
    await writeFile(anchor, '');
    await sleep(2_100);
    await manager.setup('vm-1');
    await manager.teardown('vm-1');
    await expectUnchanged(before);
  });
});
