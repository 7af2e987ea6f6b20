import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, expect, it } from 'vitest';
import type { NetworkConfig } from '../../lib/types.ts';
import { describeBackends } from '../contract/fixture.ts';
import { Far } from '../model/managers.ts';
import { ip, run, runIn } from '../support/run.ts';
import { debianPluginDir } from '../support/tools.mjs';

const support = (name: string) => fileURLToPath(new URL(`../support/traffic/${name}`, import.meta.url));
const echo = '/run/tap-echo';
const port = '7';

/** A program, and its lines one after another. */
class Talker {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #lines: AsyncIterator<string>;

  constructor(file: string, args: readonly string[]) {
    this.#child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  async line(): Promise<string> {
    return `${(await this.#lines.next()).value}`;
  }

  async ask(): Promise<string> {
    this.#child.stdin.write('\n');
    return this.line();
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

describeBackends('the traffic of a VM', (lab) => {
  const far = new Far({
    ...{ backend: lab.backend, pluginDirs: [debianPluginDir] },
    ...{ verify: 'off', shutdown: 'leave' },
  });
  let talkers: Talker[] = [];

  beforeAll(async () => {
    await run('cc', ['-O2', '-Wall', '-Werror', '-o', echo, support('tap-echo.c')]);
  });
  afterEach(async () => {
    await far.end();
    for (const talker of talkers) await talker.end();
    talkers = [];
  });

  /** From the host to the VM's TAP and back. */
  async function startFlow({ netnsPath, tapName, guestIp, mac }: NetworkConfig): Promise<Talker> {
    const guest = new Talker('nsenter', [`--net=${netnsPath}`, '--', echo, tapName]);
    talkers.push(guest);
    expect(await guest.line()).toBe('ready');
    await ip('neigh', 'replace', guestIp, 'lladdr', mac, 'dev', 'fcbr0');
    const flow = new Talker(process.execPath, [support('udp-flow.mjs'), guestIp, port]);
    talkers.push(flow);
    expect(await flow.line()).toBe('ready');
    return flow;
  }

  it('loses no packet while its manager is killed, and the next one recovers, collects and repairs another VM', async () => {
    await far.open();
    for (const vmId of ['live', 'broken', 'unwanted']) expect((await far.setup(vmId)).code).toBe(undefined);
    const observer = await lab.open({ shutdown: 'leave' });
    const [config] = (await observer.list()).filter(({ vmId }) => vmId === 'live').map((vm) => vm.config);
    if (!config) throw new Error('the VM has its network');
    const flow = await startFlow(config);

    void far.setup('half-made');
    void far.teardown('unwanted');
    await far.end();
    await runIn('/run/netns/vulcan-broken', 'ip', 'link', 'set', 'eth0', 'down');
    const next = await lab.open();
    expect(next.recovery.failed).toEqual([]);
    expect((await next.gc({ keep: ['live', 'broken'] })).failed).toEqual([]);
    const { ok, repaired } = await next.repair('broken');
    expect([ok, repaired.length > 0]).toEqual([true, true]);
    expect((await next.repair()).ok).toBe(true);
    expect(await next.check('live')).toEqual({ ok: true, differences: [] });
    await next.teardown('broken', { wait: true });

    const { sent, received, missing } = JSON.parse(await flow.ask()) as {
      readonly sent: number;
      readonly received: number;
      readonly missing: readonly number[];
    };
    expect(missing).toEqual([]);
    expect(received).toBe(sent);
  });
});
