import { expect, it } from 'vitest';
import { describeBackends } from '../contract/fixture.ts';
import { expectUnchanged } from '../support/dump.ts';
import { emptyNetwork, live, recover } from './process.ts';

const rounds = 8;

describeBackends('a worker thread', (lab) => {
  it('opens no manager that would wait for signals, which never come to it', async () => {
    const { code, lines, stderr } = await live('opening', lab.backend, { signals: ['SIGTERM'] });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(lines).toEqual([expect.stringMatching(/^ERR_OPTION_INVALID: signals .* let the main thread/)]);
    expect((await live('opening', lab.backend)).lines).toEqual(['opened']);
  });

  it('that is terminated in the middle of its set-ups leaves what gc finds, and the others work on', async () => {
    const empty = await emptyNetwork(lab);
    const { code, signal, lines, stderr } = await live('worker', lab.backend, {}, `${rounds}`);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    const descriptors = JSON.parse(lines[0] ?? '[]') as number[];
    expect(descriptors).toHaveLength(rounds);
    // One for each worker would be a leak; what is under way is in some readings only.
    const grown = Math.min(...descriptors.slice(rounds / 2)) - Math.min(...descriptors.slice(0, rounds / 2));
    expect(grown, descriptors.join(' ')).toBeLessThan(rounds / 2);
    await recover(lab);
    await expectUnchanged(empty);
  });
});
