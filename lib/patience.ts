/** Whoever has waited in vain for as long as that leaves so much to each of the others. */
const leastMs = 1_000;

/** For work of which much is to be done a part at a time: what holds up all of it is not waited for by each part anew. */
export class Patience {
  readonly #wholeMs: number;
  #since = performance.now();

  constructor(wholeMs: number) {
    this.#wholeMs = wholeMs;
  }

  /** How long the next part may take. */
  get leftMs(): number {
    const leftMs = Math.ceil(this.#wholeMs - (performance.now() - this.#since));
    return Math.min(this.#wholeMs, Math.max(leastMs, leftMs));
  }

  /** A part has succeeded. */
  renew(): void {
    this.#since = performance.now();
  }
}
