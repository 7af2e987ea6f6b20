import { expectTypeOf, it } from 'vitest';
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
