import type { NativeBinding } from '../native/binding.ts';
import { runTask } from '../native/task.ts';
import { Stopper } from '../stop.ts';

/** So many at once go with the last of them. */
const many = 8;
/** So long a namespace waits for others at most: the kernel is to have freed all within two seconds of a teardown. */
const longestMs = { few: 25, many: 1_000 };

/**
 * Teardowns that are under way at once, or come one after another, have their namespaces freed together: that costs the
 * kernel much less than one by one, and none of them has to wait while it frees those of others. Native code keeps the
 * time, as nobody knows when the event loop has any.
 */
export class Together {
  readonly #binding: Pick<NativeBinding, 'namespacesPart' | 'cancel'>;
  #underWay = 0;
  /** Of those that will have parted by the end of `#parting`. */
  #isMany = false;
  /** `null`: none waits, nor is under way. */
  #pending: Stopper | null = null;
  #parting: Promise<void> = Promise.resolve();

  constructor(binding: Pick<NativeBinding, 'namespacesPart' | 'cancel'>) {
    this.#binding = binding;
  }

  /** `work` has its namespace wait for those of the others. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay += 1;
    const done = work();
    if (this.#pending === null || (!this.#isMany && this.#underWay >= many)) this.#partInTime();
    try {
      return await done;
    } finally {
      this.#underWay -= 1;
      if (this.#underWay === 0 && this.#isMany) this.#partWithin(0);
    }
  }

  /** Until all that have come to their end are left to the kernel. */
  settle(): Promise<void> {
    if (this.#pending !== null) this.#partWithin(0);
    return this.#parting;
  }

  #partInTime(): void {
    this.#isMany = this.#underWay >= many;
    this.#partWithin(this.#isMany ? longestMs.many : longestMs.few);
  }

  /** In place of what was to come later. */
  #partWithin(afterMs: number): void {
    this.#pending?.stop(null);
    const pending = new Stopper();
    this.#pending = pending;
    const part = (taskId: number) => this.#binding.namespacesPart({ afterMs, taskId });
    this.#parting = runTask(this.#binding, pending, part)
      // Of one that was stopped another takes the place; one that can't be begun leaves them to the next.
      .catch(() => {})
      .then(() => this.#parted(pending));
  }

  #parted(pending: Stopper): void {
    if (this.#pending !== pending) return;
    this.#pending = null;
    this.#isMany = false;
    if (this.#underWay > 0) this.#partInTime();
  }
}
