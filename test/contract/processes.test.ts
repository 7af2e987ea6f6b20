import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, it } from 'vitest';
import type { SetupOptions } from '../../lib/index.ts';
import { untilAwaited } from '../support/awaited-lock.ts';
import { canonicalDump, expectUnchanged } from '../support/dump.ts';
import { runIn } from '../support/run.ts';
import { slowPlugins } from '../support/slow-plugins.ts';
import { debianPluginDir } from '../support/tools.mjs';
import { describeBackends } from './fixture.ts';

const script = fileURLToPath(new URL('../support/setup-child.mjs', import.meta.url));

interface Outcome {
  readonly guestIp?: string;
  readonly code?: string;
  readonly message?: string;
}

/** Another process with a manager of its own. */
class Other {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(options: object, vmId: string, setupOptions: SetupOptions = {}) {
    const args = [script, JSON.stringify(options), vmId, JSON.stringify(setupOptions)];
    this.#child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  async opened(): Promise<void> {
    expect((await this.#lines.next()).value).toBe('open');
  }

  begin(): void {
    this.#child.stdin.write('go\n');
  }

  async outcome(): Promise<Outcome> {
    return JSON.parse((await this.#lines.next()).value) as Outcome;
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

let others: Other[] = [];
afterEach(async () => {
  for (const other of others) await other.kill();
  others = [];
});

describeBackends('several processes', (lab) => {
  const start = (options: object, vmId: string) => {
    const other = new Other({ backend: lab.backend, pluginDirs: [debianPluginDir], ...options }, vmId);
    others.push(other);
    return other;
  };

  it('that set up one VM at once: one has it, the others are told', async () => {
    const manager = await lab.open();
    const before = await canonicalDump();
    const racers = [1, 2, 3].map(() => start({}, 'vm-1'));
    for (const racer of racers) await racer.opened();
    for (const racer of racers) racer.begin();
    const outcomes = await Promise.all(racers.map((racer) => racer.outcome()));
    const [won, ...more] = outcomes.filter(({ code }) => code === undefined);
    expect(more).toEqual([]);
    const lost = outcomes.filter(({ code }) => code !== undefined);
    expect(lost.map(({ code }) => code)).toEqual(['ERR_ATTACHMENT_EXISTS', 'ERR_ATTACHMENT_EXISTS']);
    expect((await manager.list()).map(({ vmId, config }) => [vmId, config?.guestIp])).toEqual([
      ['vm-1', won?.guestIp],
    ]);
    expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
    await manager.teardown('vm-1', { wait: true });
    await expectUnchanged(before);
  });
});

describeBackends(
  'another process that is about a setup',
  (lab) => {
    const ids = { 'its own': {}, 'one that it chose': { containerId: 'id' } };
    it.each(Object.entries(ids))(
      'loses nothing to an open, which waits for it: by %s',
      async (_id, options) => {
        const { directory, arrived, letGo } = await slowPlugins();
        const pluginDirs = [directory, debianPluginDir];
        const other = new Other({ backend: lab.backend, pluginDirs }, 'vm-1', options);
        others.push(other);
        await other.opened();
        other.begin();
        await arrived();
        const opening = lab.open();
        await untilAwaited(`${lab.stateDir}/locks`);
        await letGo();
        const manager = await opening;
        const { guestIp } = await other.outcome();
        expect(manager.recovery).toEqual({ removed: [], restored: [], failed: [] });
        expect((await manager.list()).map(({ config }) => config?.guestIp)).toEqual([guestIp]);
        expect(await manager.check('vm-1')).toEqual({ ok: true, differences: [] });
      },
    );

    it.each(Object.entries(ids))(
      'and is killed: its plugins are waited for, and then what they made goes: by %s',
      async (_id, options) => {
        const manager = await lab.open();
        const { directory, arrived, letGo } = await slowPlugins();
        const pluginDirs = [directory, debianPluginDir];
        const before = await canonicalDump();
        const other = new Other({ backend: lab.backend, pluginDirs }, 'vm-1', options);
        others.push(other);
        await other.opened();
        other.begin();
        await arrived();
        await other.kill();
        const opening = lab.open();
        await untilAwaited(`${lab.stateDir}/locks`);
        await letGo();
        const next = await opening;
        expect(next.recovery).toEqual({ removed: ['vm-1'], restored: [], failed: [] });
        await expect.poll(hostLinksOfBridge, { timeout: 30_000 }).toBe(0);
        await expectUnchanged(before);
        await manager.setup('vm-1');
      },
    );
  },
  ['cni'],
);

/** Before the chain has ended, no link says whose it is. */
async function hostLinksOfBridge(): Promise<number> {
  const text = await runIn('/proc/self/ns/net', 'ip', '-j', 'link', 'show', 'master', 'fcbr0').catch(
    () => '[]',
  );
  return (JSON.parse(text === '' ? '[]' : text) as unknown[]).length;
}
