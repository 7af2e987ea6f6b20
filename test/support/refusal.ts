import { expect } from 'vitest';
import { type ErrorCode, isNetworkError, type NetworkError } from '../../lib/errors.ts';

type Work = Promise<unknown> | (() => unknown);

async function rejectionOf(work: Work): Promise<unknown> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    return error;
  }
  throw new Error('it was not refused');
}

/** The work fails with the code; `says` is in its message: what is wrong, or what to do about it. */
export async function expectRefusal(
  work: Work,
  code: ErrorCode,
  says: string | RegExp,
  fields: object = {},
): Promise<NetworkError> {
  const error = await rejectionOf(work);
  if (!isNetworkError(error)) throw error;
  expect(error).toMatchObject({ code, ...fields });
  expect(error.message).toMatch(says);
  expect(error.remedy).not.toBe('');
  return error;
}
