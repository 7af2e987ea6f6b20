import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Labels } from '../../../lib/backends/pool-labels.ts';
import type { LinkLabel } from '../../../lib/native/slots.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function recorded() {
  const calls: string[][] = [];
  const linkLabel = async ({ links }: { readonly links: readonly LinkLabel[] }) => {
    calls.push(links.map(({ name }) => name));
    return 0;
  };
  const labels = new Labels({ linkLabel });
  const add = (vmId: string) => labels.add(vmId, { name: `link of ${vmId}`, alias: vmId });
  return { calls, labels, add };
}

describe('labels', () => {
  it('are written together, when nobody comes any more', async () => {
    const { calls, add } = recorded();
    for (const vmId of ['a', 'b', 'c']) {
      add(vmId);
      await vi.advanceTimersByTimeAsync(3);
    }
    expect(calls).toEqual([]);
    await vi.advanceTimersByTimeAsync(20);
    expect(calls).toEqual([['link of a', 'link of b', 'link of c']]);
  });

  it('are written in time, however many come', async () => {
    const { calls, add } = recorded();
    for (let vm = 0; vm < 400; vm += 1) {
      add(`vm-${vm}`);
      await vi.advanceTimersByTimeAsync(4);
    }
    expect(calls.length).toBe(1);
    expect(calls[0]?.length).toBeGreaterThan(100);
  });

  it('are not written for VMs that have gone', async () => {
    const { calls, labels, add } = recorded();
    add('a');
    add('b');
    labels.forget('a');
    await vi.advanceTimersByTimeAsync(20);
    expect(calls).toEqual([['link of b']]);
    add('c');
    labels.forget('c');
    await vi.advanceTimersByTimeAsync(20);
    expect(calls.length).toBe(1);
  });

  it('are written soon for whom waits for them', async () => {
    const { calls, labels, add } = recorded();
    let written = false;
    add('a');
    void labels.written().then(() => {
      written = true;
    });
    for (let vm = 0; vm < 3; vm += 1) {
      await vi.advanceTimersByTimeAsync(2);
      add(`vm-${vm}`);
    }
    expect([calls.length, written]).toEqual([1, true]);
  });
});
