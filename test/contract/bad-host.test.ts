import { chown, mkdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { addNamespace, netnsDir } from '../support/lab.ts';
import { expectRefusal } from '../support/refusal.ts';
import { ip, nft, outcomeOf, run } from '../support/run.ts';
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

describeBackends('an anchor where', (lab) => {
  it.each(foreigners)('%s stands is refused, and left as it is', async (_title, make) => {
    const manager = await lab.open();
    await mkdir(netnsDir, { recursive: true });
    await make();
    const before = await canonicalDump();
    await expectRefusal(manager.setup('vm-1'), 'ERR_NETNS_FOREIGN', 'that this library did not make', {
      ...{ operation: 'setup', step: 'anchor', vmId: 'vm-1', path: anchor },
    });
    await expectUnchanged(before);
    await manager.teardown('vm-1');
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

describeBackends('a state directory', (lab) => {
  const stateDir = '/run/state';

  const unsafe: readonly (readonly [title: string, make: () => Promise<unknown>, says: RegExp])[] = [
    [
      'that others may write',
      () => mkdir(stateDir, { recursive: true }).then(() => run('chmod', ['0777', stateDir])),
      /state/,
    ],
    [
      'that is a symlink',
      () => mkdir('/run/elsewhere', { mode: 0o700 }).then(() => symlink('/run/elsewhere', stateDir)),
      /state/,
    ],
    [
      'that belongs to someone else',
      () => mkdir(stateDir, { mode: 0o700 }).then(() => chown(stateDir, 1234, 1234)),
      /state/,
    ],
    [
      'whose records others may write',
      () =>
        mkdir(`${stateDir}/results`, { recursive: true }).then(() =>
          run('chmod', ['0777', `${stateDir}/results`]),
        ),
      /results/,
    ],
  ];

  afterEach(async () => {
    for (const path of [stateDir, '/run/elsewhere']) await rm(path, { recursive: true, force: true });
  });

  it.each(unsafe)('%s is refused, and left as it is', async (_title, make, says) => {
    await make();
    const before = await canonicalDump();
    const { mode } = await stat(stateDir);
    await expectRefusal(lab.open({ stateDir }), 'ERR_STATE_DIR_UNSAFE', says, { operation: 'open' });
    await expectUnchanged(before);
    expect((await stat(stateDir)).mode).toBe(mode);
  });
});

describeBackends('a full disk', (lab) => {
  const stateDir = '/run/small';
  /** What the disk has, and what the lock's claim, the record and a temporary file take. */
  const pages = 16;
  const most = 4;

  afterEach(async () => {
    await outcomeOf('umount', ['--lazy', stateDir]);
    await rm(stateDir, { recursive: true, force: true });
  });

  const fill = (free: number) =>
    writeFile(`${stateDir}/filling`, Buffer.alloc((pages - free) * 4096)).catch(() => {});

  it('at whichever file of a setup: refused, and undone', async () => {
    await mkdir(stateDir, { mode: 0o700 });
    await run('mount', ['-t', 'tmpfs', '-o', `size=${pages * 4}k,mode=700`, 'tmpfs', stateDir]);
    const manager = await lab.open({ stateDir });
    await manager.setup('vm-0');
    await manager.teardown('vm-0');
    const steps = new Set<string | undefined>();
    for (let free = 0; free < most; free++) {
      await rm(`${stateDir}/filling`, { force: true });
      await fill(free);
      const before = await canonicalDump();
      const outcome = await manager.setup('vm-1').catch((error: unknown) => error);
      if (outcome instanceof Error) {
        const error = await expectRefusal(Promise.reject(outcome), 'ERR_RECORD_WRITE', /ENOSPC/, {
          ...{ operation: 'setup', vmId: 'vm-1', rolledBack: true },
        });
        steps.add(error.step);
      } else {
        await manager.teardown('vm-1');
      }
      await expectUnchanged(before);
    }
    expect([...steps]).toContain('record');
    await rm(`${stateDir}/filling`);
    await manager.setup('vm-1');
  });
});

describeBackends('records', (lab) => {
  const results = `${lab.stateDir}/results`;

  it('of another attachment, where this one belongs, are never overwritten', async () => {
    // Both are named a-b-c-eth0.
    const first = await lab.open({ network: 'a-b', bridge: 'ab0', subnet: '10.9.0.0/24' });
    await first.setup('c');
    const second = await lab.open({ network: 'a' });
    const before = await canonicalDump();
    await expectRefusal(second.setup('b-c'), 'ERR_RECORD_MISMATCH', 'is the record of network a-b', {
      ...{ operation: 'setup', vmId: 'b-c', path: `${results}/a-b-c-eth0` },
    });
    await expectUnchanged(before);
    await second.teardown('b-c');
    await expectUnchanged(before);
    expect(await first.check('c')).toEqual({ ok: true, differences: [] });
  });

  it('that cannot be read are named, and left as they are', async () => {
    const manager = await lab.open();
    await manager.setup('vm-0');
    await writeFile(`${results}/fcnet-vm-1-eth0`, '{ "kind": "cniCache');
    const before = await canonicalDump();
    for (const verb of [
      () => manager.setup('vm-1'),
      () => manager.teardown('vm-1'),
      () => manager.check('vm-1'),
    ]) {
      await expectRefusal(verb, 'ERR_RECORD_CORRUPT', `${results}/fcnet-vm-1-eth0 is no record`, {
        vmId: 'vm-1',
      });
    }
    await expectUnchanged(before);
  });
});

describeBackends('addresses', (lab) => {
  it('that are all taken are an error of their own, and undone', async () => {
    const manager = await lab.open({ subnet: '10.168.0.0/29' });
    const vmIds = ['vm-1', 'vm-2', 'vm-3', 'vm-4', 'vm-5'];
    const [first] = await Promise.all(vmIds.map((vmId) => manager.setup(vmId)));
    const before = await canonicalDump();
    const { remedy } = await expectRefusal(manager.setup('vm-6'), 'ERR_ADDRESSES_EXHAUSTED', /address/, {
      ...{ operation: 'setup', vmId: 'vm-6', rolledBack: true },
    });
    expect(remedy).toContain('larger subnet');
    await expectUnchanged(before);
    await manager.teardown('vm-1');
    expect((await manager.setup('vm-6')).guestIp).toBe(first?.guestIp);
  });
});

describeBackends('a bridge', (lab) => {
  it.each([
    ['is another kind of link', () => ip('link', 'add', 'fcbr0', 'type', 'veth', 'peer', 'name', 'other')],
    [
      'has another address',
      async () => {
        await ip('link', 'add', 'fcbr0', 'type', 'bridge');
        await ip('address', 'add', '10.77.0.1/24', 'dev', 'fcbr0');
      },
    ],
  ])('that %s is refused, and left as it is', async (_title, make) => {
    await make();
    const before = await canonicalDump();
    await expectRefusal(lab.open(), 'ERR_BRIDGE_CONFLICT', 'fcbr0', { operation: 'open', step: 'bridge' });
    await expectUnchanged(before);
  });

  it('of another network is refused', async () => {
    await lab.open();
    const before = await canonicalDump();
    await expectRefusal(
      lab.open({ network: 'blue', subnet: '10.168.0.0/24' }),
      'ERR_BRIDGE_CONFLICT',
      'fcbr0',
      { operation: 'open', network: 'blue' },
    );
    await expectUnchanged(before);
  });
});

describeBackends('a subnet', (lab) => {
  it('of another network, or a part of it, is refused', async () => {
    await lab.open();
    const before = await canonicalDump();
    for (const subnet of ['10.168.0.0/24', '10.168.0.64/26', '10.168.0.0/16']) {
      const options = { network: 'blue', bridge: 'blue0', subnet };
      await expectRefusal(lab.open(options), 'ERR_SUBNET_CONFLICT', /10\.168\.0\./, {
        ...{ operation: 'open', network: 'blue' },
      });
      await expectUnchanged(before);
    }
  });
});

describeBackends('the firewall', (lab) => {
  it('whose table someone has made otherwise is refused, and left as it is', async () => {
    await nft('add table inet vulcan { comment "vulcan-net layout 1"; }');
    await nft('add set inet vulcan ipv6 { type ether_addr; }');
    const before = await canonicalDump();
    await expectRefusal(lab.open(), 'ERR_FIREWALL', 'set ipv6', { operation: 'open', step: 'firewall' });
    await expectUnchanged(before);
  });
});

describeBackends('a network in use', (lab) => {
  it('is not removed', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    const before = await canonicalDump();
    await expectRefusal(manager.removeNetwork(), 'ERR_NETWORK_IN_USE', 'fcnet is still used by vm-1', {
      ...{ operation: 'remove', network: 'fcnet' },
    });
    await expectUnchanged(before);
    await manager.teardown('vm-1');
    await manager.removeNetwork();
  });
});
