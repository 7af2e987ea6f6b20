import { expect } from 'vitest';
import { canonicalDump } from './dump.mjs';

export { canonicalDump };

/** Everything that was begun since `before` is undone, in the kernel and on disk; the kernel gets a while to free links. */
export async function expectUnchanged(before: string): Promise<void> {
  expect(await canonicalDump({ expected: before })).toBe(before);
}
