import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { BackendName } from '../../lib/types.ts';
import type { ContractLab } from '../contract/fixture.ts';
import { hostLinks } from '../contract/oracles.ts';
import { canonicalDump } from '../support/dump.ts';
import { until } from '../support/lab.ts';
import { debianPluginDir } from '../support/tools.mjs';

const scenarios = fileURLToPath(new URL('scenarios.mjs', import.meta.url));

/** A process that does not end by itself would hold up the suite. */
const patienceMs = 240_000;

export interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly lines: readonly string[];
  readonly stderr: string;
}

/** A run of one of `scenarios.mjs`, with the built package. */
export class Life {
  readonly lines: string[] = [];
  readonly ended: Promise<End>;
  readonly #child: ChildProcess;

  constructor(scenario: string, backend: BackendName, options: object = {}, ...args: readonly string[]) {
    const text = JSON.stringify({ backend, pluginDirs: [debianPluginDir], ...options });
    this.#child = spawn(process.execPath, [scenarios, scenario, text, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ended = this.#watch(scenario);
  }

  async #watch(scenario: string): Promise<End> {
    const child = this.#child;
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += chunk;
    });
    if (child.stdout !== null) createInterface(child.stdout).on('line', (line) => this.lines.push(line));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, patienceMs);
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
    clearTimeout(timer);
    if (late) throw new Error(`${scenario} did not end within ${patienceMs} ms: ${stderr}`);
    return { code, signal, lines: this.lines, stderr };
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

export function live(
  scenario: string,
  backend: BackendName,
  options: object = {},
  ...args: readonly string[]
): Promise<End> {
  return new Life(scenario, backend, options, ...args).ended;
}

/** The network with no VM on it, after it has had one. */
export async function emptyNetwork(lab: ContractLab): Promise<string> {
  const manager = await lab.open();
  await manager.setup('first');
  await manager.teardown('first', { wait: true });
  await until('the link to go', async () => (await hostLinks()).length === 0);
  return canonicalDump();
}

/** What the next process does about what the last one has left. */
export async function recover(lab: ContractLab): Promise<void> {
  const manager = await lab.open();
  await manager.gc({ keep: [] });
}
