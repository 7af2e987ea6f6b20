import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Stopper } from '../../../../lib/async/stop.ts';
import { NamespaceWait } from '../../../../lib/backends/host/namespace-wait.ts';
import { Scope } from '../../../../lib/operation.ts';

/** Looks that take so long each; `held` are the inodes that somebody holds. */
function subject(lookMs: number, held: readonly number[]) {
  const seen = { held: new Set(held), looks: [] as (readonly number[])[] };
  const wait = new NamespaceWait({
    namespaceHolders: async ({ namespaces }) => {
      seen.looks.push(namespaces.map(({ inode }) => inode));
      await new Promise((resolve) => void setTimeout(resolve, lookMs));
      const holder = { pid: 7, command: 'vmm', via: 'fd' } as const;
      return namespaces.map(({ inode }) => (seen.held.has(inode) ? [holder] : []));
    },
  });
  const closing = new Stopper();
  const untilFree = (inode: number | null, { vmId = `vm-${inode}`, timeoutMs = 60_000 } = {}) => {
    const scope = new Scope({ operation: 'teardown', timeoutMs });
    const netns = inode === null ? null : { inode, device: 4 };
    return wait
      .untilFree(vmId, netns, scope, closing)
      .then(() => 'free' as const)
      .catch((error: Error) => error)
      .finally(() => scope.end());
  };
  return { closing, seen, untilFree };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const busy = (message: string) => expect.objectContaining({ code: 'ERR_NETNS_BUSY', message });

describe('waiting for namespaces', () => {
  it('ends with the first look where nobody holds it', async () => {
    const { seen, untilFree } = subject(1, []);
    const waited = untilFree(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(await waited).toBe('free');
    expect(seen.looks).toEqual([[1]]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('looks once for all, and never for more than a third of the time', async () => {
    const { seen, untilFree } = subject(50, [1, 2, 3]);
    const all = [1, 2, 3].map((inode) => untilFree(inode));
    await vi.advanceTimersByTimeAsync(1_499);
    // The first came alone.
    expect(seen.looks).toEqual([[1], ...Array.from({ length: 9 }, () => [1, 2, 3])]);
    seen.held.delete(2);
    await vi.advanceTimersByTimeAsync(150);
    expect(await all[1]).toBe('free');
    seen.held.clear();
    await vi.advanceTimersByTimeAsync(150);
    expect(await Promise.all(all)).toEqual(['free', 'free', 'free']);
  });

  it('names the holders once time is up, however long looks take', async () => {
    const { untilFree } = subject(400, [1]);
    const waited = untilFree(1, { timeoutMs: 1_000 });
    const short = untilFree(1, { timeoutMs: 100 });
    await vi.advanceTimersByTimeAsync(1_000);
    const message = 'vm-1 is off the network, but its namespace is still held: vmm (pid 7) has it open';
    expect(await waited).toEqual(busy(message));
    // It came while the first look was under way.
    await vi.advanceTimersByTimeAsync(300);
    expect(await short).toEqual(busy(message));
  });

  it('ends when the manager closes, after one look at least', async () => {
    const { closing, seen, untilFree } = subject(1, [1, 2]);
    const waited = untilFree(1);
    await vi.advanceTimersByTimeAsync(10);
    closing.stop(null);
    const message =
      'vm-1 is off the network, but its manager closes while its namespace is still held: vmm (pid 7) has it open';
    expect(await waited).toEqual(busy(message));
    const late = [untilFree(2), untilFree(3)];
    await vi.advanceTimersByTimeAsync(30);
    expect(await Promise.all(late)).toEqual([busy(message.replace('vm-1', 'vm-2')), 'free']);
    expect(seen.looks).toEqual([[1], [2, 3]]);
  });

  it('goes along with whoever waits for the same VM', async () => {
    const { seen, untilFree } = subject(1, [1]);
    expect(await untilFree(null, { vmId: 'vm-1' })).toBe('free');
    const both = [untilFree(1), untilFree(null, { vmId: 'vm-1' })];
    await vi.advanceTimersByTimeAsync(50);
    expect(seen.looks.at(-1)).toEqual([1, 1]);
    seen.held.clear();
    await vi.advanceTimersByTimeAsync(50);
    expect(await Promise.all(both)).toEqual(['free', 'free']);
  });

  it('fails where the processes cannot be looked at', async () => {
    const wait = new NamespaceWait({ namespaceHolders: () => Promise.reject(new Error('no /proc')) });
    const scope = new Scope({ operation: 'teardown', timeoutMs: 1_000 });
    const waited = wait.untilFree('vm-1', { inode: 1, device: 4 }, scope, new Stopper());
    await expect(waited).rejects.toThrow('no /proc');
    scope.end();
  });
});
