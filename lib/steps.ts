/** What each step of a verb took, by the order in which they first came; in arrays, as a map would box each number. */
export class StepDurations {
  readonly #steps: string[] = [];
  readonly #tookMs: number[] = [];

  /** Durations of a repeated step add up. */
  add(step: string, tookMs: number): void {
    const index = this.#steps.indexOf(step);
    if (index < 0) {
      this.#steps.push(step);
      this.#tookMs.push(tookMs);
    } else {
      this.#tookMs[index] = (this.#tookMs[index] ?? 0) + tookMs;
    }
  }

  each(visit: (step: string, tookMs: number) => void): void {
    for (let index = 0; index < this.#steps.length; index += 1) {
      visit(this.#steps[index] as string, this.#tookMs[index] as number);
    }
  }
}
