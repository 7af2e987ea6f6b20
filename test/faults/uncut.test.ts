import { readdir } from 'node:fs/promises';
import { constants } from 'node:os';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { type Operation, operations, optionsOf } from '../support/faults/operations.mjs';
import { parsePoints } from '../support/faults/points.mjs';
import { installSteps, Subject } from '../support/faults/subject.mjs';
import { resetLab } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';

/** RTM_NEWLINK, as the shim names it: what is set of a link that is there, too. */
const setsLink = 'rtnetlink 16';

let subject: Subject;

/** The verb's first change of a link, on a VM that goes by it, as a point that fails. */
async function cutOf(operation: Operation, argument: unknown) {
  await subject.must('setup', 'vm-0');
  const points = parsePoints(await subject.traced(operation, argument));
  const cut = points.find(({ call, subject: name }) => call === 'message' && name === setsLink);
  if (cut === undefined) throw new Error(`${operation.verb} cuts nothing`);
  const { key, ordinal } = cut;
  return { key, ordinal, action: 'fail', error: constants.errno.EPERM } as const;
}

describeWith(['tun', 'shim', 'plugins'], 'a VM that cannot be cut off', () => {
  beforeEach(async () => {
    await resetLab();
    await installSteps();
    subject = new Subject();
  });
  afterEach(() => subject.end());

  it.each(['native', 'cni'] as const)(
    'keeps its address and its record until it can, by %s',
    async (backend) => {
      await subject.must('open', optionsOf({ backend, operation: 'teardown', layout: 'bridge' }));
      const cut = await cutOf(operations.teardown, 'vm-0');
      const { guestIp } = await subject.must('setup', 'vm-1');
      const before = await canonicalDump();
      expect(await subject.faulted(operations.teardown, 'vm-1', cut)).toMatchObject({
        hits: 1,
        error: {
          ...{ code: 'ERR_LINK_CUT', operation: 'teardown', step: 'cut', syscall: 'RTM_NEWLINK' },
          ...{ errno: -constants.errno.EPERM, message: expect.stringContaining('its address stays taken') },
        },
      });
      await expectUnchanged(before);
      expect((await subject.must('setup', 'vm-2')).guestIp).not.toBe(guestIp);

      await subject.must('teardown', 'vm-1');
      expect(await readdir('/run/cni/networks/fcnet')).not.toContain(guestIp);
    },
  );

  it.each(['native', 'cni'] as const)('is left to the next gc by gc, by %s', async (backend) => {
    await subject.must('open', optionsOf({ backend, operation: 'gc', layout: 'bridge' }));
    await subject.must('setup', 'kept');
    const cut = await cutOf(operations.gc, ['kept']);
    const { guestIp } = await subject.must('setup', 'vm-1');
    const before = await canonicalDump();
    expect(await subject.faulted(operations.gc, ['kept'], cut)).toMatchObject({
      ...{ hits: 1, error: null },
      value: { removed: [], failed: [{ vmId: 'vm-1', error: { code: 'ERR_LINK_CUT' } }] },
    });
    await expectUnchanged(before);

    expect(await subject.must('gc', ['kept'])).toMatchObject({ removed: [{ vmId: 'vm-1' }], failed: [] });
    expect(await readdir('/run/cni/networks/fcnet')).not.toContain(guestIp);
  });
});
