import { NetworkError } from '../errors.ts';
import type { NativeBinding } from '../native/binding.ts';
import type { NamespaceHolder } from '../native/host.ts';
import type { NamespaceId } from '../native/sys.ts';
import type { Scope } from '../operation.ts';
import { atStep } from './kernel-error.ts';

/** Between two looks at the processes of the host. */
const shortestPauseMs = 20;
const longestPauseMs = 500;
/** So many times as long as the look before took: what others look for takes its turn with it. */
const pausePerLook = 2;

type Holders = readonly NamespaceHolder[];

interface Waiter {
  readonly id: NamespaceId;
  found(holders: Holders): void;
  failed(error: unknown): void;
}

function describe({ pid, command, via }: NamespaceHolder): string {
  const how = { member: 'runs in it', fd: 'has it open', mount: 'sees it mounted' } as const;
  return `${command} (pid ${pid}) ${how[via]}`;
}

/** Teardowns that wait until nobody holds their VMs' namespaces any more: one look serves all that wait. */
export class NamespaceWait {
  readonly #binding: Pick<NativeBinding, 'namespaceHolders'>;
  readonly #waiting = new Set<Waiter>();
  #isWatching = false;

  constructor(binding: Pick<NativeBinding, 'namespaceHolders'>) {
    this.#binding = binding;
  }

  /** Rejects with ERR_NETNS_BUSY, and the names of those who hold the namespace, when time is up. */
  async untilFree(vmId: string, netns: NamespaceId, scope: Scope): Promise<void> {
    scope.step = 'wait';
    const holders = await this.#wait(netns, scope);
    if (holders.length === 0) return;
    const message = `${vmId} is off the network, but its namespace is still held: ${holders.map(describe).join(', ')}`;
    throw new NetworkError('ERR_NETNS_BUSY', message, { vmId, step: 'wait' });
  }

  /** Those who hold it once time is up, but for the first look: nobody gives up without having looked. */
  #wait({ inode, device }: NamespaceId, scope: Scope): Promise<Holders> {
    return new Promise((resolve, reject) => {
      let last: Holders | null = null;
      const watch = scope.onStop(() => last !== null && end(last));
      const leave = () => {
        this.#waiting.delete(waiter);
        watch.end();
      };
      const end = (holders: Holders) => {
        leave();
        resolve(holders);
      };
      const waiter: Waiter = {
        id: { inode, device },
        found: (holders) => {
          last = holders;
          if (holders.length === 0 || scope.stopped) end(holders);
        },
        failed: (error) => {
          leave();
          reject(error);
        },
      };
      this.#waiting.add(waiter);
      if (!this.#isWatching) void this.#watch();
    });
  }

  async #watch(): Promise<void> {
    this.#isWatching = true;
    while (this.#waiting.size > 0) {
      const start = performance.now();
      await this.#look([...this.#waiting]);
      const pauseMs = Math.max(shortestPauseMs, pausePerLook * (performance.now() - start));
      if (this.#waiting.size > 0) await sleep(Math.min(longestPauseMs, pauseMs));
    }
    this.#isWatching = false;
  }

  async #look(waiters: readonly Waiter[]): Promise<void> {
    const namespaces = waiters.map(({ id }) => id);
    try {
      const holders = await atStep('wait', () => this.#binding.namespaceHolders({ namespaces }));
      for (const [index, waiter] of waiters.entries()) waiter.found(holders[index] ?? []);
    } catch (error) {
      for (const waiter of waiters) waiter.failed(error);
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}
