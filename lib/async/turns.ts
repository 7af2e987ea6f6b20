/** What is begun in one turn of the event loop: more would keep whoever else the process serves from theirs. */
const mostAtOnce = 32;

/** Work begins in the order of asking: a few at once, the others in the turns that follow. */
export class Turns {
  /** In the present turn. */
  #begun = 0;
  /** Whoever asks costs next to nothing until it is his turn. */
  readonly #waiting = new Set<() => void>();

  /** Until the caller may begin. `null`: at once. */
  take(): Promise<void> | null {
    if (this.#begun >= mostAtOnce || this.#waiting.size > 0) {
      return new Promise((resolve) => this.#waiting.add(resolve));
    }
    this.#begin();
    return null;
  }

  #begin(): void {
    if (this.#begun === 0) setImmediate(() => this.#next());
    this.#begun += 1;
  }

  #next(): void {
    this.#begun = 0;
    for (const begin of this.#waiting) {
      if (this.#begun >= mostAtOnce) break;
      this.#waiting.delete(begin);
      this.#begin();
      begin();
    }
  }
}
