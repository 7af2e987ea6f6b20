import { expect } from 'vitest';
import { canonicalDump, dumpDifference } from './dump.mjs';

export { canonicalDump };

/** Everything that was begun since `before` is undone, in the kernel and on disk; the kernel gets a while to free links. */
export async function expectUnchanged(before: string, timeoutMs?: number): Promise<void> {
  const after = await canonicalDump({ expected: before, ...(timeoutMs !== undefined && { timeoutMs }) });
  // On the first line of the failure, which may be all that is seen of it.
  expect(after, dumpDifference(before, after).replaceAll('\n', '')).toBe(before);
}
