import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { NetworkConfig } from '../../lib/types.ts';
import { run, runIn } from './run.ts';

const file = '/run/rude-vmm';
const source = fileURLToPath(new URL('traffic/rude-vmm.c', import.meta.url));

export async function buildRudeVmm(): Promise<void> {
  await run('cc', ['-O2', '-Wall', '-Werror', '-o', file, source]);
}

/** Runs in the VM's namespace, and has its TAP, until it is ended. */
export async function startRudeVmm({ netnsPath, tapName }: NetworkConfig): Promise<RudeVmm> {
  const child = spawn('nsenter', [`--net=${netnsPath}`, '--', file, tapName], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return new RudeVmm(child);
}

export class RudeVmm {
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}

/** What the next VMM finds. */
export const lookAtTap = ({ netnsPath, tapName }: NetworkConfig): Promise<string> =>
  runIn(netnsPath, file, tapName, '--look');

/** What `ethtool -K LINK gso off` does. */
export const switchOffloadOff = (link: string): Promise<string> => run(file, [link, '--whole']);
