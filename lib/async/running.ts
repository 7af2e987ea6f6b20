/** What is under way, and may be waited for. */
export class Running {
  #count = 0;
  #waiting: (() => void)[] = [];

  /** Each to be ended, whatever becomes of it. */
  begin(): void {
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count > 0) return;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Until nothing is under way. */
  async ended(): Promise<void> {
    if (this.#count > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
