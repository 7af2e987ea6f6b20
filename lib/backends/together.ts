import type { NativeBinding } from '../native/binding.ts';
import { debug } from '../observe.ts';

/** From so many at once on, teardowns wait for each other with what the kernel has to free. */
const many = 8;
/** So long nobody else tore down: the kernel's work is in nobody's way. */
const quietMs = 5;
/** The kernel is to have freed all within two seconds of a teardown; what few leave it may do bit by bit. */
const longestMs = { few: 25, many: 1_000 };

/**
 * Teardowns that are under way at once, or come one after another, have their namespaces freed together: that costs the
 * kernel much less than one by one, and none of them has to wait while it frees those of others.
 */
export class Together {
  readonly #binding: Pick<NativeBinding, 'namespacesPart'>;
  #underWay = 0;
  #isMany = false;
  /** Since when there have been some that wait; `null`: there are none. */
  #since: number | null = null;
  #timer: NodeJS.Timeout | undefined;
  #parting: Promise<void> = Promise.resolve();

  constructor(binding: Pick<NativeBinding, 'namespacesPart'>) {
    this.#binding = binding;
  }

  /** `work` has its namespace wait for those of the others. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay += 1;
    this.#isMany ||= this.#underWay >= many;
    this.#since ??= performance.now();
    try {
      return await work();
    } finally {
      this.#underWay -= 1;
      this.#partInTime();
    }
  }

  /** Until all that have come to their end are left to the kernel. */
  settle(): Promise<void> {
    if (this.#since !== null) this.#part();
    return this.#parting;
  }

  #partInTime(): void {
    if (this.#since === null) return;
    const longest = this.#isMany ? longestMs.many : longestMs.few;
    const leftMs = this.#since + longest - performance.now();
    const isLast = this.#underWay === 0;
    if (leftMs <= 0 || (isLast && this.#isMany)) this.#part();
    else this.#partIn(isLast ? Math.min(quietMs, leftMs) : leftMs);
  }

  #partIn(ms: number): void {
    clearTimeout(this.#timer);
    const due = () => {
      if (this.#underWay > 0) this.#partInTime();
      else if (this.#since !== null) this.#part();
    };
    this.#timer = setTimeout(due, Math.ceil(ms)).unref();
  }

  #part(): void {
    // Those that are under way may have theirs waiting by the time this is done.
    this.#since = this.#underWay > 0 ? performance.now() : null;
    this.#isMany = this.#underWay >= many;
    const before = this.#parting;
    this.#parting = this.#binding
      .namespacesPart({})
      .catch((error: Error) => debug('namespaces that are to go: %s', error.message))
      .then(() => before);
  }
}
