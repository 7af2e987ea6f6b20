import { expect } from 'vitest';
import { canonicalDump, dumpDifference } from './dump.mjs';

export { canonicalDump };

interface Unchanged {
  readonly timeoutMs?: number;
  /** What of a dump has to be the same. */
  readonly seen?: (dump: string) => string;
}

/** Everything that was begun since `before` is undone, in the kernel and on disk; the kernel gets a while to free links. */
export async function expectUnchanged(before: string, options: Unchanged = {}): Promise<void> {
  const { seen = (dump: string) => dump } = options;
  const [expected, after] = [seen(before), seen(await canonicalDump({ expected: before, ...options }))];
  // On the first line of the failure, which may be all that is seen of it.
  expect(after, dumpDifference(expected, after).replaceAll('\n', '')).toBe(expected);
}

/** In whatever order, and without what the kernel makes by itself for each link of the chain. */
export const withoutLinkLocal = (dump: string): string =>
  dump
    .split('\n')
    .filter((line) => !line.includes('fe80::'))
    .sort()
    .join('\n');
