/** What is begun in one turn of the event loop: more would keep whoever else the process serves from theirs. */
const mostAtOnce = 32;
/**
 * With so many under way others begin at that rate, as those may take long: what is under way holds memory that V8 copies whenever it
 * collects, and stops the event loop for as long.
 */
const enoughUnderWay = 64;
const perMs = 4;

/** Work begins in the order of asking: a few at once, the others in the turns that follow. */
export class Turns {
  /** In the present turn. */
  #begun = 0;
  #underWay = 0;
  #turnMs = Number.NEGATIVE_INFINITY;
  /** As many as the turn before has taken time for. */
  #few = 1;
  /** Whoever asks costs next to nothing until it is his turn. */
  readonly #waiting = new Set<() => void>();

  /** Until the caller may begin. `null`: at once. To be ended, whatever becomes of it. */
  begin(): Promise<void> | null {
    if (this.#begun >= this.#most || this.#waiting.size > 0) {
      return new Promise((resolve) => this.#waiting.add(resolve));
    }
    this.#count();
    return null;
  }

  end(): void {
    this.#underWay -= 1;
  }

  /** As there is room now, in this turn. */
  get #most(): number {
    return this.#underWay < enoughUnderWay ? mostAtOnce : this.#few;
  }

  #count(): void {
    if (this.#begun === 0) setImmediate(() => this.#next());
    this.#begun += 1;
    this.#underWay += 1;
  }

  #next(): void {
    this.#begun = 0;
    const now = performance.now();
    this.#few = Math.min(mostAtOnce, Math.max(1, Math.floor((now - this.#turnMs) * perMs)));
    this.#turnMs = now;
    for (const begin of this.#waiting) {
      if (this.#begun >= this.#most) break;
      this.#waiting.delete(begin);
      this.#count();
      begin();
    }
  }
}
