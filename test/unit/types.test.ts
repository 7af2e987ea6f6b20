import { expectTypeOf, it } from 'vitest';
import { type ErrorCode, isNetworkError } from '../../lib/errors.ts';
import type { NetworkManager } from '../../lib/network-manager.ts';
import type { Operation } from '../../lib/types.ts';

/** What only the compiler of `npm run check` finds. */

type Methods = {
  [Name in keyof NetworkManager]: NetworkManager[Name] extends (...given: never) => PromiseLike<unknown>
    ? Name
    : never;
}[keyof NetworkManager];

it('every operation is `open` or a method, and every verb but withNetwork, which is made of others, is an operation', () => {
  expectTypeOf<Operation>().toEqualTypeOf<'open' | Exclude<Methods & string, 'withNetwork'>>();
});

it('isNetworkError tells the code', () => {
  const error: unknown = null;
  if (isNetworkError(error, 'ERR_TIMEOUT')) expectTypeOf(error.code).toEqualTypeOf<'ERR_TIMEOUT'>();
  if (isNetworkError(error)) expectTypeOf(error.code).toEqualTypeOf<ErrorCode>();
});
