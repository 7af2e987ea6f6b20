/** Each remaining part still gets at least this long. */
const leastMs = 1_000;

/** A deadline shared by many parts: one cause that blocks them all is not waited for once per part. */
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
