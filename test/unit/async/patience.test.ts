import { expect, it, vi } from 'vitest';
import { Patience } from '../../../lib/async/patience.ts';

it('leaves what is left of the time, a second at least, and all of it once something has succeeded', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(0);
  const patience = new Patience(60_000);
  now.mockReturnValue(20_000);
  expect(patience.leftMs).toBe(40_000);
  now.mockReturnValue(90_000);
  expect(patience.leftMs).toBe(1_000);
  patience.renew();
  expect(patience.leftMs).toBe(60_000);
  expect(new Patience(100).leftMs).toBe(100);
  vi.restoreAllMocks();
});
