import type { NativeBinding } from '../../lib/native/binding.ts';
import { native } from './native.ts';

/** The addon, in which something else comes right before, or right after, the next call of that name. */
export function interrupted(
  call: keyof NativeBinding,
  { before = async () => {}, after = async () => {} }: { before?(): Promise<void>; after?(): Promise<void> },
): NativeBinding {
  let isNext = true;
  return new Proxy(native, {
    get(binding, name: keyof NativeBinding) {
      const value = binding[name] as (plan: object) => unknown;
      if (name !== call) return value;
      return async (plan: object) => {
        const first = isNext;
        isNext = false;
        if (first) await before();
        const result = await value.call(binding, plan);
        if (first) await after();
        return result;
      };
    },
  });
}
