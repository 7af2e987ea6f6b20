import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Together } from '../../../../lib/backends/native/together.ts';

function subject() {
  const seen = { parted: 0 };
  const namespacesPart = () => {
    seen.parted += 1;
    return new Promise<void>((resolve) => void setTimeout(resolve, 1));
  };
  return { together: new Together({ namespacesPart }), seen };
}

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

const teardowns = (together: Together, count: number) =>
  Array.from({ length: count }, () => teardown(together));

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('namespaces of few teardowns', () => {
  it('go together in the end, and only once', async () => {
    const { together, seen } = subject();
    await teardown(together).end();
    await vi.advanceTimersByTimeAsync(20);
    await teardown(together).end();
    expect(seen.parted).toBe(0);
    await vi.advanceTimersByTimeAsync(6);
    expect(seen.parted).toBe(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(seen.parted).toBe(1);
  });

  it('go though they never cease to come', async () => {
    const { together, seen } = subject();
    for (let ms = 0; ms < 100; ms += 1) {
      await teardown(together).end();
      await vi.advanceTimersByTimeAsync(1);
    }
    expect(seen.parted).toBeGreaterThanOrEqual(3);
  });

  it('do not wait for one that hangs, nor does its own', async () => {
    const { together, seen } = subject();
    const hanging = teardown(together);
    await teardown(together).end();
    await vi.advanceTimersByTimeAsync(26);
    expect(seen.parted).toBe(1);
    await vi.advanceTimersByTimeAsync(26);
    expect(seen.parted).toBe(2);
    await hanging.end();
    await vi.advanceTimersByTimeAsync(26);
    expect(seen.parted).toBe(3);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(seen.parted).toBe(3);
  });

  it('go all the same when a teardown fails', async () => {
    const { together, seen } = subject();
    await expect(together.run(() => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await vi.advanceTimersByTimeAsync(26);
    expect(seen.parted).toBe(1);
  });
});

describe('namespaces of many teardowns', () => {
  it('go with the last', async () => {
    const { together, seen } = subject();
    const many = teardowns(together, 8);
    await vi.advanceTimersByTimeAsync(100);
    for (const each of many.slice(1)) await each.end();
    await vi.advanceTimersByTimeAsync(100);
    expect(seen.parted).toBe(0);
    await many[0]?.end();
    await vi.advanceTimersByTimeAsync(0);
    expect(seen.parted).toBe(1);
  });

  it('go once a second while many are under way all the time', async () => {
    const { together, seen } = subject();
    let many = teardowns(together, 7);
    for (let ms = 0; ms < 3_500; ms += 100) {
      const next = teardowns(together, 7);
      for (const each of many) await each.end();
      many = next;
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(seen.parted).toBe(3);
  });

  it('do not wait for one that hangs for longer than a second', async () => {
    const { together, seen } = subject();
    const [, ...others] = teardowns(together, 8);
    for (const each of others) await each.end();
    await vi.advanceTimersByTimeAsync(1_001);
    expect(seen.parted).toBe(1);
  });
});

describe('who settles', () => {
  it('has them go at once, and waits for that', async () => {
    const { together, seen } = subject();
    await together.settle();
    expect(seen.parted).toBe(0);
    await teardown(together).end();
    let isSettled = false;
    const settled = together.settle().then(() => {
      isSettled = true;
    });
    await Promise.resolve();
    expect(isSettled).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    await settled;
    expect(seen.parted).toBe(1);
  });

  it('is not kept by what can’t be done', async () => {
    const namespacesPart = () => Promise.reject(new Error('no thread'));
    const together = new Together({ namespacesPart });
    await teardown(together).end();
    await expect(together.settle()).resolves.toBeUndefined();
  });
});
