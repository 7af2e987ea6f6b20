import type { Stop } from '../../async/stop.ts';
import { NetworkError } from '../../errors.ts';
import type { NativeBinding } from '../../native/binding.ts';
import type { NamespaceHolder } from '../../native/host.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { NamespaceId } from '../../native/sys.ts';
import type { Scope } from '../../operation.ts';

/** Between two looks at the processes of the host. */
const shortestPauseMs = 20;
const longestPauseMs = 500;
/** So many times as long as the look before took: what others look for takes its turn with it. */
const pausePerLook = 2;

type Holders = readonly NamespaceHolder[];

interface Waiter {
  readonly vmId: string;
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

  /**
   * Rejects with ERR_NETNS_BUSY, and the names of those who hold the namespace, when time is up or the manager closes.
   * `netns: null`: that which another waits for of this VM, if any.
   */
  async untilFree(vmId: string, netns: NamespaceId | null, scope: Scope, closing: Stop): Promise<void> {
    const id = netns ?? this.#awaitedOf(vmId);
    if (id === null) return;
    scope.step = 'wait';
    const holders = await this.#wait(vmId, id, [scope, closing]);
    if (holders.length === 0) return;
    const why = closing.stopped ? 'its manager closes while its namespace' : 'its namespace';
    const message = `${vmId} is off the network, but ${why} is still held: ${holders.map(describe).join(', ')}`;
    throw new NetworkError('ERR_NETNS_BUSY', message, { vmId, step: 'wait' });
  }

  #awaitedOf(vmId: string): NamespaceId | null {
    for (const waiter of this.#waiting) if (waiter.vmId === vmId) return waiter.id;
    return null;
  }

  /** Those who hold it once one of these has stopped, but for the first look: nobody gives up without having looked. */
  #wait(vmId: string, { inode, device }: NamespaceId, stops: readonly Stop[]): Promise<Holders> {
    return new Promise((resolve, reject) => {
      let last: Holders | null = null;
      const watches = stops.map((stop) => stop.onStop(() => last !== null && end(last)));
      const leave = () => {
        this.#waiting.delete(waiter);
        for (const watch of watches) watch.end();
      };
      const end = (holders: Holders) => {
        leave();
        resolve(holders);
      };
      const waiter: Waiter = {
        ...{ vmId, id: { inode, device } },
        found: (holders) => {
          last = holders;
          if (holders.length === 0 || stops.some(({ stopped }) => stopped)) end(holders);
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
