import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { NetworkManager } from '../../lib/network-manager.ts';
import type { NetworkManagerOptions } from '../../lib/options.ts';
import type { AttachmentState } from '../../lib/types.ts';
import { managerVerbs } from '../support/manager-verbs.mjs';

export interface Listed {
  readonly vmId: string;
  readonly state: AttachmentState;
  readonly ip: string;
}

/** What of a VM, or of the network (`null`), no repair could put back. */
export interface Broken {
  readonly vmId: string | null;
  readonly what: string;
}

/** What became of a verb. */
export type Outcome<T> =
  | { readonly value: T; readonly code?: undefined }
  | { readonly code: string; readonly message: string };

/** A manager, in whichever process. */
export interface Caller {
  /** Closes the one that was open, and leaves what it has made. What recovery could not do. */
  open(): Promise<Outcome<readonly string[]>>;
  setup(vmId: string): Promise<Outcome<string>>;
  teardown(vmId: string): Promise<Outcome<null>>;
  check(vmId: string): Promise<Outcome<readonly string[]>>;
  gc(keep: readonly string[]): Promise<Outcome<readonly string[]>>;
  repair(): Promise<Outcome<readonly Broken[]>>;
  list(): Promise<Outcome<readonly Listed[]>>;
  /** Ends it, in the midst of whatever it does where that can be. */
  end(): Promise<void>;
}

async function outcomeOf<T>(work: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: string };
    return { code: `${code}`, message };
  }
}

/** In the test's own process. */
export class Near implements Caller {
  readonly #options: NetworkManagerOptions;
  #manager: NetworkManager | null = null;

  constructor(options: NetworkManagerOptions) {
    this.#options = options;
  }

  open(): Promise<Outcome<readonly string[]>> {
    return outcomeOf(async () => {
      await this.end();
      this.#manager = await NetworkManager.open(this.#options);
      return this.#manager.recovery.failed.map(({ error }) => error.message);
    });
  }

  setup = (vmId: string) => outcomeOf(() => managerVerbs.setup(this.#open, vmId));
  teardown = (vmId: string) => outcomeOf(() => managerVerbs.teardown(this.#open, vmId));
  check = (vmId: string) => outcomeOf(() => managerVerbs.check(this.#open, vmId));
  gc = (keep: readonly string[]) => outcomeOf(() => managerVerbs.gc(this.#open, keep));
  repair = () => outcomeOf(() => managerVerbs.repair(this.#open));
  list = () => outcomeOf(() => managerVerbs.list(this.#open));

  async end(): Promise<void> {
    await this.#manager?.close();
    this.#manager = null;
  }

  get #open(): NetworkManager {
    if (this.#manager === null) throw new Error('no manager is open');
    return this.#manager;
  }
}

const server = fileURLToPath(new URL('../support/manager-server.mjs', import.meta.url));

/** In a process of its own, which is killed. */
export class Far implements Caller {
  readonly #options: NetworkManagerOptions;
  readonly #waiting = new Map<number, (outcome: Outcome<unknown>) => void>();
  #child: ChildProcessByStdio<Writable, Readable, null> | null = null;
  #asked = 0;

  constructor(options: NetworkManagerOptions) {
    this.#options = options;
  }

  open = () => this.#ask<readonly string[]>('open', this.#options);
  setup = (vmId: string) => this.#ask<string>('setup', vmId);
  teardown = (vmId: string) => this.#ask<null>('teardown', vmId);
  check = (vmId: string) => this.#ask<readonly string[]>('check', vmId);
  gc = (keep: readonly string[]) => this.#ask<readonly string[]>('gc', keep);
  repair = () => this.#ask<readonly Broken[]>('repair');
  list = () => this.#ask<readonly Listed[]>('list');

  /** What was under way is never answered. */
  async end(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    this.#waiting.clear();
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }

  #ask<T>(verb: string, argument?: unknown): Promise<Outcome<T>> {
    const child = this.#child ?? this.#start();
    this.#child = child;
    const id = ++this.#asked;
    child.stdin.write(`${JSON.stringify({ id, verb, argument })}\n`);
    return new Promise((resolve) => {
      this.#waiting.set(id, (outcome) => resolve(outcome as Outcome<T>));
    });
  }

  #start() {
    const child = spawn(process.execPath, [server], { stdio: ['pipe', 'pipe', 'inherit'] });
    createInterface(child.stdout).on('line', (line) => {
      const { id, ...outcome } = JSON.parse(line) as { readonly id: number } & Outcome<unknown>;
      this.#waiting.get(id)?.(outcome);
      this.#waiting.delete(id);
    });
    return child;
  }
}
