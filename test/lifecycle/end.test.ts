import { expect, it } from 'vitest';
import { describeBackends } from '../contract/fixture.ts';
import { expectUnchanged } from '../support/dump.ts';
import { until } from '../support/lab.ts';
import { emptyNetwork, Life, live, recover } from './process.ts';

/** From before the first system call to after the last. */
const delaysMs = [0, 1, 4, 16, 64, 256];

describeBackends('the end of a process', (lab) => {
  it.each(delaysMs)('process.exit %i ms into set-ups leaves what gc finds', async (delayMs) => {
    const empty = await emptyNetwork(lab);
    const { code, signal, stderr } = await live('exit', lab.backend, {}, `${delayMs}`);
    expect({ code, signal, stderr }).toEqual({ code: 0, signal: null, stderr: '' });
    await recover(lab);
    await expectUnchanged(empty);
  });

  it.each([0, 16, 256])('so does an exception that nobody catches after %i ms', async (delayMs) => {
    const empty = await emptyNetwork(lab);
    const { code, signal, stderr } = await live('throw', lab.backend, {}, `${delayMs}`);
    expect({ code, signal }).toEqual({ code: 1, signal: null });
    expect(stderr).toContain('nobody catches this');
    await recover(lab);
    await expectUnchanged(empty);
  });

  it('in the midst of set-ups is the one that was asked for, time and again', async () => {
    const ends: unknown[] = [];
    for (let round = 0; round < 8; round += 1) {
      for (const how of ['throw', 'exit']) {
        const { code, signal } = await live(how, lab.backend, {}, '0');
        ends.push({ how, code, signal });
        await recover(lab);
      }
    }
    const asked = [
      { how: 'throw', code: 1, signal: null },
      { how: 'exit', code: 0, signal: null },
    ];
    expect(ends).toEqual(Array.from({ length: 8 }, () => asked).flat());
  });

  it('SIGTERM with the option `signals` tears down what is up, and undoes what is under way', async () => {
    const empty = await emptyNetwork(lab);
    const life = new Life('wait', lab.backend, { signals: ['SIGTERM'] });
    await until('set-ups', () => life.lines.includes('ready'));
    life.kill('SIGTERM');
    expect(await life.ended).toMatchObject({ code: null, signal: 'SIGTERM', stderr: '' });
    await expectUnchanged(empty);
  });

  it.each([
    ['until all its managers have closed', 'signal'],
    ['until a close that is under way is done', 'closing'],
  ])('SIGTERM with `signals` does not come %s', async (_when, scenario) => {
    const empty = await emptyNetwork(lab);
    const end = await live(scenario, lab.backend, { signals: ['SIGTERM'] });
    expect(end).toMatchObject({ code: null, signal: 'SIGTERM', stderr: '' });
    await expectUnchanged(empty);
  });

  it('SIGTERM with `signals` is the application’s where it listens, be it once', async () => {
    const empty = await emptyNetwork(lab);
    const { code, signal, lines, stderr } = await live('drain', lab.backend, { signals: ['SIGTERM'] });
    expect({ code, signal, lines, stderr }).toEqual({
      code: 0,
      signal: null,
      lines: ['drained'],
      stderr: '',
    });
    await expectUnchanged(empty);
  });

  it('SIGTERM without it ends the process at once, and what is up stays', async () => {
    const empty = await emptyNetwork(lab);
    const life = new Life('wait', lab.backend);
    await until('set-ups', () => life.lines.includes('ready'));
    life.kill('SIGTERM');
    expect(await life.ended).toMatchObject({ code: null, signal: 'SIGTERM' });
    const manager = await lab.open();
    const vmIds = (await manager.list()).map(({ vmId }) => vmId);
    expect(vmIds).toEqual(expect.arrayContaining(['old-0', 'old-1', 'old-2']));
    await manager.gc({ keep: [] });
    await expectUnchanged(empty);
  });

  it('comes by itself once nothing is under way, though nobody closed the manager', async () => {
    const { code, signal } = await live('unawaited', lab.backend);
    expect({ code, signal }).toEqual({ code: 0, signal: null });
    const manager = await lab.open();
    expect((await manager.list()).length).toBe(4);
  });

  it('comes by itself with a forgotten manager, which is collected; its VM stays', async () => {
    const { code, signal, lines } = await live('forget', lab.backend);
    expect({ code, signal, lines }).toEqual({ code: 0, signal: null, lines: ['collected'] });
    const manager = await lab.open();
    expect((await manager.list()).map(({ vmId }) => vmId)).toEqual(['forgotten']);
  });
});
