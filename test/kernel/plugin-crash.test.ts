import { expect, it } from 'vitest';
import { resetLab } from '../support/lab.ts';
import { describeWith } from '../support/require.ts';
import {
  addSandbox,
  config,
  containerId,
  goldenNetns,
  type Invocation,
  invoke,
  leftovers,
  nothingLeft,
  ours,
  prevResult,
} from './plugin-lab.ts';
import { inject, type Point, trace } from './plugin-trace.ts';

const add: Invocation = { command: 'ADD' };

/** What a runtime has to give to DEL: after an ADD that was killed, nothing, or the result of the plugin before. */
const runtimes = {
  'without a prevResult': config({}),
  'with the prevResult of the ADD': config(),
};

/** The result that the ADD would have printed. */
const finalResult = {
  ...prevResult,
  interfaces: [
    ...prevResult.interfaces,
    { name: 'tap0', sandbox: goldenNetns },
    { name: 'tap0', sandbox: containerId },
  ],
};

async function sandbox(): Promise<void> {
  await resetLab();
  await addSandbox();
}

/** Calls of the dynamic linker come before anything that matters. */
async function pointsOf(invocation: Invocation): Promise<Point[]> {
  const points = await trace(invocation);
  const first = points.findIndex(({ syscall, what }) => syscall === 'openat' && what.includes(goldenNetns));
  return points.slice(first);
}

describeWith(['strace', 'tun'], 'tc-redirect-tap is killed at any of its system calls', () => {
  it.each(Object.entries(runtimes))('in ADD: a DEL %s cleans up', async (_, stdin) => {
    await sandbox();
    const points = await pointsOf(add);
    expect(points.filter(({ syscall }) => syscall === 'sendto').length).toBeGreaterThanOrEqual(8);
    expect(points.filter(({ syscall }) => syscall === 'ioctl').length).toBeGreaterThanOrEqual(4);
    const states = new Set<string>();
    for (const point of points) {
      await sandbox();
      await inject(point, 'signal=KILL', add);
      states.add(JSON.stringify(await leftovers()));
      const del = await invoke(ours, { command: 'DEL', stdin });
      expect({ point, del, left: await leftovers() }).toEqual({
        point,
        del: { exitCode: 0, stdout: '', stderr: '' },
        left: nothingLeft,
      });
      const again = await invoke(ours, add);
      expect({ point, exitCode: again.exitCode }).toEqual({ point, exitCode: 0 });
    }
    // It was not for nothing: the kills left nothing, a qdisc alone, and everything.
    const expected = [
      nothingLeft,
      { ...nothingLeft, ingress: 1 },
      { links: ['eth0', 'lo', 'peer0', 'tap0'], ingress: 2 },
    ];
    expect(states).toEqual(new Set(expected.map((state) => JSON.stringify(state))));
  });

  const afterAdd = {
    'without a prevResult': config({}),
    'with a prevResult': config({ prevResult: finalResult }),
  };
  it.each(Object.entries(afterAdd))('in DEL %s: another one cleans up', async (_, stdin) => {
    const del: Invocation = { command: 'DEL', stdin };
    await sandbox();
    await invoke(ours, add);
    for (const point of await pointsOf(del)) {
      await sandbox();
      await invoke(ours, add);
      await inject(point, 'signal=KILL', del);
      const again = await invoke(ours, del);
      expect({ point, again, left: await leftovers() }).toEqual({
        point,
        again: { exitCode: 0, stdout: '', stderr: '' },
        left: nothingLeft,
      });
    }
  });
});
