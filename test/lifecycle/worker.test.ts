import { expect, it } from 'vitest';
import { describeBackends } from '../contract/fixture.ts';
import { expectUnchanged } from '../support/dump.ts';
import { emptyNetwork, live, recover } from './process.ts';

const rounds = 8;

describeBackends('a worker thread', (lab) => {
  it('that is terminated in the middle of its set-ups leaves what gc finds, and the others work on', async () => {
    const empty = await emptyNetwork(lab);
    const { code, signal, lines, stderr } = await live('worker', lab.backend, {}, `${rounds}`);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    const descriptors = JSON.parse(lines[0] ?? '[]') as number[];
    expect(descriptors).toHaveLength(rounds);
    // One for each worker would be a leak; the readings differ by what is under way.
    const grown = (descriptors.at(-1) ?? 0) - (descriptors[0] ?? 0);
    expect(grown, descriptors.join(' ')).toBeLessThan(rounds / 2);
    await recover(lab);
    await expectUnchanged(empty);
  });
});
