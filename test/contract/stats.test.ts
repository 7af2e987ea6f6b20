import { channel, tracingChannel } from 'node:diagnostics_channel';
import { expect, it } from 'vitest';
import type { PluginRunEvent } from '../../lib/observe.ts';
import { expectRefusal } from '../support/refusal.ts';
import { describeBackends } from './fixture.ts';

const stepsOf = {
  native: {
    setup: ['queue', 'lock', 'address', 'tap', 'link', 'inside', 'record'],
    teardown: ['lock', 'cut', 'anchor'],
  },
  cni: { setup: ['lock', 'plugin:bridge ADD'], teardown: ['lock', 'cut'] },
} as const;

describeBackends('what a manager tells of its work', (lab) => {
  it('is in stats(): set-ups and teardowns, their steps, errors by code', async () => {
    const manager = await lab.open();
    await manager.setup('vm-1');
    await expectRefusal(manager.setup('vm-1'), 'ERR_ATTACHMENT_EXISTS', 'vm-1');
    await manager.teardown('vm-1');
    const { pools, latency, errors } = manager.stats();
    expect(pools).toEqual([]);
    expect(errors).toEqual({ ERR_ATTACHMENT_EXISTS: 1 });
    expect(latency).toMatchObject({
      setup: { cold: { count: 1 }, warm: { count: 0, maxMs: 0 } },
      teardown: { count: 1 },
      steps: { warm: {} },
    });
    for (const [whole, steps, names] of [
      [latency.setup.cold, latency.steps.cold, stepsOf[lab.backend].setup],
      [latency.teardown, latency.steps.teardown, stepsOf[lab.backend].teardown],
    ] as const) {
      expect(Object.keys(steps)).toEqual(expect.arrayContaining([...names]));
      const sumMs = Object.values(steps).reduce((sum, { maxMs }) => sum + maxMs, 0);
      // Exact to one percent.
      expect(sumMs).toBeLessThan(whole.maxMs * 1.02);
      expect(sumMs).toBeGreaterThan(0);
    }
  });

  it('reaches whoever traces it', async () => {
    const seen: string[] = [];
    const listen = (verb: string) => {
      const tell = (what: string) => (event: object) => {
        const { vmId, result, error } = event as {
          vmId: string;
          result?: string | { vmId: string };
          error?: { code: string };
        };
        const ended = typeof result === 'string' ? result : result?.vmId;
        seen.push([verb, what, vmId, ended ?? error?.code ?? ''].join(' ').trim());
      };
      const names = ['start', 'asyncEnd', 'error'] as const;
      const subscribers = Object.fromEntries(names.map((name) => [name, tell(name)]));
      const tracing = tracingChannel(`vulcan-net:${verb}`);
      tracing.subscribe(subscribers as never);
      return () => tracing.unsubscribe(subscribers as never);
    };
    const manager = await lab.open();
    await manager.setup('vm-0');
    const forget = [listen('setup'), listen('teardown')];
    await manager.setup('vm-1');
    await expectRefusal(manager.setup('vm-1'), 'ERR_ATTACHMENT_EXISTS', 'vm-1');
    await manager.teardown('vm-1');
    for (const each of forget) each();
    await manager.teardown('vm-0');
    expect(seen).toEqual([
      'setup start vm-1',
      'setup asyncEnd vm-1 vm-1',
      'setup start vm-1',
      'setup error vm-1 ERR_ATTACHMENT_EXISTS',
      'setup asyncEnd vm-1 ERR_ATTACHMENT_EXISTS',
      'teardown start vm-1',
      'teardown asyncEnd vm-1 teardown',
    ]);
  });
});

describeBackends(
  'every run of a plugin',
  (lab) => {
    it('is published with how it ended', async () => {
      const seen: PluginRunEvent[] = [];
      const listener = (event: unknown) => void seen.push(event as PluginRunEvent);
      const runs = channel('vulcan-net:plugin');
      const manager = await lab.open({ ranges: [{ start: '10.168.0.2', end: '10.168.0.2' }] });
      runs.subscribe(listener);
      await manager.setup('vm-1', { containerId: 'c-1' });
      await expectRefusal(manager.setup('vm-2'), 'ERR_ADDRESSES_EXHAUSTED', '10.168.0.2');
      await manager.teardown('vm-1');
      runs.unsubscribe(listener);
      const { durationMs, ...first } = seen[0] ?? { durationMs: 0 };
      expect(first).toEqual({
        ...{ network: 'fcnet', vmId: 'vm-1', containerId: 'c-1', type: 'bridge', command: 'ADD' },
        ...{ exitCode: 0, signal: null, timedOut: false },
      });
      const whose = new Set(seen.map(({ vmId, containerId }) => `${vmId} ${containerId}`));
      expect([...whose]).toEqual(['vm-1 c-1', 'vm-2 vm-2']);
      expect(durationMs).toBeGreaterThan(0);
      const told = seen.map(({ network, type, command, exitCode }) =>
        [network, type, command, exitCode === 0 ? 'ended well' : 'failed'].join(' '),
      );
      expect(told.slice(0, 3)).toEqual([
        'fcnet bridge ADD ended well',
        'fcnet tc-redirect-tap ADD ended well',
        'fcnet bridge ADD failed',
      ]);
      // What had been begun is undone.
      expect(told).toContain('fcnet bridge DEL ended well');
    });

    it('is published where it only says which versions it speaks', async () => {
      const seen: PluginRunEvent[] = [];
      const listener = (event: unknown) => void seen.push(event as PluginRunEvent);
      const runs = channel('vulcan-net:plugin');
      const manager = await lab.open();
      runs.subscribe(listener);
      const { plugins } = await manager.verify();
      runs.unsubscribe(listener);
      const asked = seen.filter(({ command, exitCode }) => command === 'VERSION' && exitCode === 0);
      expect(asked.map(({ network, type }) => `${network} ${type}`).sort()).toEqual(
        plugins.map(({ type }) => `fcnet ${type}`).sort(),
      );
      expect(asked.length).toBeGreaterThan(0);
    });
  },
  ['cni'],
);
