/** As long as the event loop may be kept: about a millisecond. */
const perTurn = 16;

/** So many verbs begin in one turn of the event loop; those beyond wait for the next ones, in the order of coming. */
export class Turns {
  #left = perTurn;
  #waiting: (() => void)[] = [];
  #ending = false;

  /** `null`: now. */
  next(): Promise<void> | null {
    this.#endLater();
    if (this.#left === 0) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#left -= 1;
    return null;
  }

  #endLater(): void {
    if (this.#ending) return;
    this.#ending = true;
    setImmediate(() => this.#end());
  }

  #end(): void {
    this.#ending = false;
    const begin = this.#waiting.splice(0, perTurn);
    this.#left = perTurn - begin.length;
    if (begin.length > 0) this.#endLater();
    for (const resolve of begin) resolve();
  }
}
