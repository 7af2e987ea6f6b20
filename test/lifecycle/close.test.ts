import { expect, it } from 'vitest';
import { describeBackends } from '../contract/fixture.ts';
import { expectUnchanged } from '../support/dump.ts';
import { emptyNetwork, live } from './process.ts';

describeBackends('close', (lab) => {
  it.each([0, 2, 8, 32])('%i ms into set-ups undoes them, and lets the process end', async (delayMs) => {
    const empty = await emptyNetwork(lab);
    const { code, signal, lines, stderr } = await live('close', lab.backend, {}, `${delayMs}`);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    const { done, same, ended } = JSON.parse(lines[0] ?? '{}');
    expect({ done, same }).toEqual({ done: 'done', same: true });
    // One that had its record already has won, and was torn down.
    for (const outcome of ended) expect(['ERR_CLOSED', 'done']).toContain(outcome);
    if (delayMs === 0) expect(ended).toContain('ERR_CLOSED');
    await expectUnchanged(empty);
  });
});
