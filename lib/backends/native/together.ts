import type { NativeBinding } from '../../native/binding.ts';
import { debug } from '../../observe.ts';

/** From this many concurrent teardowns on, all namespaces are released together. */
const many = 8;
/** Longest time a namespace is held back; all must be freed within two seconds of a teardown. */
const longestMs = { few: 25, many: 1_000 };

/**
 * Teardowns that are under way at once, or come one after another, have their namespaces freed together: that costs the
 * kernel much less than one by one, and none of them has to wait while it frees those of others.
 */
export class Together {
  readonly #binding: Pick<NativeBinding, 'namespacesPart'>;
  #underWay = 0;
  /** Of those that wait for the timer. */
  #isMany = false;
  /** `null`: none waits, nor is under way. */
  #timer: NodeJS.Timeout | null = null;
  #parting: Promise<void> = Promise.resolve();

  constructor(binding: Pick<NativeBinding, 'namespacesPart'>) {
    this.#binding = binding;
  }

  /** `work` has its namespace wait for those of the others. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay += 1;
    if (this.#timer === null || (!this.#isMany && this.#underWay >= many)) this.#partInTime();
    try {
      return await work();
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0 && this.#isMany) this.#part();
    }
  }

  /** Until all that have come to their end are left to the kernel. */
  settle(): Promise<void> {
    if (this.#timer !== null) this.#part();
    return this.#parting;
  }

  #partInTime(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#isMany = this.#underWay >= many;
    const afterMs = this.#isMany ? longestMs.many : longestMs.few;
    this.#timer = setTimeout(() => this.#part(), afterMs).unref();
  }

  /** Those that are under way may have theirs waiting by the time this is done. */
  #part(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.#isMany = false;
    if (this.#underWay > 0) this.#partInTime();
    const before = this.#parting;
    this.#parting = this.#binding
      .namespacesPart({})
      .catch((error: Error) => debug('namespaces that are to go: %s', error.message))
      .then(() => before);
  }
}
