import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Labels } from '../../../../lib/backends/pool/labels.ts';
import type { LinkLabel } from '../../../../lib/native/slots.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** `tookMs`: by each call. */
function recorded(tookMs = 0) {
  const calls: string[][] = [];
  const linkLabel = async ({ links }: { readonly links: readonly LinkLabel[] }) => {
    calls.push(links.map(({ name }) => name));
    if (tookMs > 0) await new Promise((resolve) => setTimeout(resolve, tookMs));
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
    const written = calls.flat();
    expect(written.length).toBeGreaterThan(100);
    // Not the rest, which more are to join.
    expect(written.length).toBeLessThan(300);
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

  it('wait for a quiet moment while VMs go as fast as others come', async () => {
    const { calls, labels, add } = recorded();
    for (let vm = 0; vm < 100; vm += 1) {
      add(`vm-${vm}`);
      labels.forget(`vm-${vm - 3}`);
      await vi.advanceTimersByTimeAsync(4);
    }
    expect(calls).toEqual([]);
    await vi.advanceTimersByTimeAsync(20);
    expect(calls).toEqual([['link of vm-97', 'link of vm-98', 'link of vm-99']]);
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

  it('are written a few at a time, one call after the other', async () => {
    const { calls, labels, add } = recorded(10);
    for (let vm = 0; vm < 70; vm += 1) add(`vm-${vm}`);
    let written = false;
    void labels.written().then(() => {
      written = true;
    });
    await vi.advanceTimersByTimeAsync(6);
    expect(calls.map(({ length }) => length)).toEqual([32]);
    // What comes meanwhile overtakes nobody, and need not be waited for.
    add('late');
    await vi.advanceTimersByTimeAsync(20);
    expect(calls.map(({ length }) => length)).toEqual([32, 32, 6]);
    expect(written).toBe(false);
    await vi.advanceTimersByTimeAsync(10);
    expect(written).toBe(true);
    expect(calls.slice(3)).toEqual([['link of late']]);
  });

  it('are not written for VMs that go between two calls', async () => {
    const { calls, labels, add } = recorded(10);
    for (let vm = 0; vm < 100; vm += 1) add(`vm-${vm}`);
    await vi.advanceTimersByTimeAsync(12);
    for (let vm = 0; vm < 64; vm += 1) labels.forget(`vm-${vm}`);
    for (let vm = 96; vm < 100; vm += 1) labels.forget(`vm-${vm}`);
    // Sets up again, with another link.
    labels.add('vm-99', { name: 'another link', alias: 'vm-99' });
    const written = labels.written();
    await vi.advanceTimersByTimeAsync(50);
    await expect(written).resolves.toBeUndefined();
    expect(calls.map(({ length }) => length)).toEqual([32, 32, 1]);
    expect(calls[1]?.[0]).toBe('link of vm-64');
    expect(calls[2]).toEqual(['another link']);
  });

  it('go on after a call that failed', async () => {
    const sent: number[] = [];
    const linkLabel = async ({ links }: { readonly links: readonly LinkLabel[] }) => {
      sent.push(links.length);
      throw new Error('refused');
    };
    const labels = new Labels({ linkLabel });
    for (let vm = 0; vm < 40; vm += 1) labels.add(`vm-${vm}`, { name: 'link', alias: 'vm' });
    const written = labels.written();
    await vi.advanceTimersByTimeAsync(10);
    await expect(written).resolves.toBeUndefined();
    expect(sent).toEqual([32, 8]);
  });
});
