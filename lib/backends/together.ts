import type { NativeBinding } from '../native/binding.ts';

/** From so many at once on, teardowns wait for each other with what the kernel has to free. */
const many = 8;
/** The kernel is to have freed all within two seconds of a teardown. */
const longestMs = 1_000;

/**
 * Teardowns that are under way at once have their namespaces freed together: that costs the kernel much less than one after
 * another, and none of them has to wait while it frees those of others.
 */
export class Together {
  readonly #binding: Pick<NativeBinding, 'namespacesPart'>;
  #underWay = 0;
  /** Since when there have been some that wait; `null`: there are none. */
  #since: number | null = null;

  constructor(binding: Pick<NativeBinding, 'namespacesPart'>) {
    this.#binding = binding;
  }

  /** `work` is told whether its namespace is to wait for the others. */
  async run<T>(work: (together: boolean) => Promise<T>): Promise<T> {
    this.#underWay += 1;
    const together = this.#underWay >= many;
    if (together) this.#since ??= performance.now();
    try {
      return await work(together);
    } finally {
      this.#underWay -= 1;
      await this.#part();
    }
  }

  async #part(): Promise<void> {
    if (this.#since === null) return;
    if (this.#underWay > 0 && performance.now() - this.#since < longestMs) return;
    this.#since = null;
    await this.#binding.namespacesPart({});
  }
}
