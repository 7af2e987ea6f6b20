/** What is begun in one turn of the event loop: more would keep whoever else the process serves from theirs. */
const mostAtOnce = 32;
/** As long as a turn is taken to be. */
const turnMs = 1;

/** Work begins in the order of asking: a few at once, the others in the turns that follow. */
export class Turns {
  #sinceMs = 0;
  #begun = 0;
  #waiting: (() => void)[] = [];

  run<T>(work: () => Promise<T>): Promise<T> {
    return this.#mayBegin() ? work() : this.#turn().then(work);
  }

  #mayBegin(): boolean {
    if (this.#waiting.length > 0) return false;
    const nowMs = performance.now();
    if (nowMs - this.#sinceMs >= turnMs) {
      this.#sinceMs = nowMs;
      this.#begun = 0;
    }
    this.#begun += 1;
    return this.#begun <= mostAtOnce;
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(() => this.#next());
    });
  }

  #next(): void {
    for (const begin of this.#waiting.splice(0, mostAtOnce)) begin();
    if (this.#waiting.length > 0) setImmediate(() => this.#next());
  }
}
