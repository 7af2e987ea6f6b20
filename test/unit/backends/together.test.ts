import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Together } from '../../../lib/backends/together.ts';

const namespacesPart = vi.fn(async () => {});
const parted = () => namespacesPart.mock.calls.length;

/** A teardown that ends when it is told to. */
function teardown(together: Together): { end(): Promise<void> } {
  let finish = () => {};
  const done = together.run(
    () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      }),
  );
  return {
    end: () => {
      finish();
      return done;
    },
  };
}

beforeEach(() => {
  vi.useFakeTimers();
  namespacesPart.mockClear();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('namespaces of teardowns that come one after another', () => {
  it('go once nobody has torn down for a while', async () => {
    const together = new Together({ namespacesPart });
    await teardown(together).end();
    await vi.advanceTimersByTimeAsync(4);
    await teardown(together).end();
    await vi.advanceTimersByTimeAsync(4);
    expect(parted()).toBe(0);
    await vi.advanceTimersByTimeAsync(2);
    expect(parted()).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(parted()).toBe(1);
  });

  it('go in the end though they never cease to come', async () => {
    const together = new Together({ namespacesPart });
    for (let ms = 0; ms < 100; ms += 2) {
      await teardown(together).end();
      await vi.advanceTimersByTimeAsync(2);
    }
    expect(parted()).toBeGreaterThanOrEqual(3);
    expect(parted()).toBeLessThanOrEqual(4);
  });

  it('go at once when they are to', async () => {
    const together = new Together({ namespacesPart });
    await together.settle();
    expect(parted()).toBe(0);
    await teardown(together).end();
    await together.settle();
    expect(parted()).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(parted()).toBe(1);
  });

  it('are waited for by who settles, and one that can’t be asked to go keeps nobody', async () => {
    const together = new Together({ namespacesPart });
    namespacesPart.mockRejectedValueOnce(new Error('no thread'));
    await teardown(together).end();
    await expect(together.settle()).resolves.toBeUndefined();
  });
});

describe('namespaces of teardowns that are under way at once', () => {
  it('go with the last of many', async () => {
    const together = new Together({ namespacesPart });
    const many = Array.from({ length: 8 }, () => teardown(together));
    await vi.advanceTimersByTimeAsync(100);
    for (const each of many.slice(1)) await each.end();
    expect(parted()).toBe(0);
    await many[0]?.end();
    expect(parted()).toBe(1);
  });

  it('go once a second while many are under way all the time', async () => {
    const together = new Together({ namespacesPart });
    let many = Array.from({ length: 9 }, () => teardown(together));
    for (let ms = 0; ms < 3_000; ms += 100) {
      const next = Array.from({ length: 9 }, () => teardown(together));
      for (const each of many) await each.end();
      many = next;
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(parted()).toBe(3);
  });

  it('do not wait for one of a few that hangs', async () => {
    const together = new Together({ namespacesPart });
    const hanging = teardown(together);
    await teardown(together).end();
    await vi.advanceTimersByTimeAsync(24);
    expect(parted()).toBe(0);
    await vi.advanceTimersByTimeAsync(2);
    expect(parted()).toBe(1);
    await hanging.end();
    await vi.advanceTimersByTimeAsync(6);
    expect(parted()).toBe(2);
  });
});
