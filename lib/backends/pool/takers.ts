import type { Stop } from '../../async/stop.ts';
import type { Slot } from './slot.ts';

/** Longer than the kernel holds its lock while it frees namespaces: a setup of its own would wait as long, and leave more to free. */
const patienceMs = 50;

/** Set-ups that found no slot ready, but one that soon is: first come, first served. */
export class Takers {
  #waiting: ((slot: Slot | null) => void)[] = [];

  get size(): number {
    return this.#waiting.length;
  }

  /** `null`: it took too long, or who waits was stopped. */
  wait(stop: Stop): Promise<Slot | null> {
    return new Promise((resolve) => {
      const settle = (slot: Slot | null) => {
        clearTimeout(timer);
        watch.end();
        resolve(slot);
      };
      const giveUp = () => {
        this.#waiting = this.#waiting.filter((each) => each !== settle);
        settle(null);
      };
      const timer = setTimeout(giveUp, patienceMs);
      const watch = stop.onStop(giveUp);
      this.#waiting.push(settle);
    });
  }

  /** What is left of the slots once each of those who wait has one. */
  serve(slots: readonly Slot[]): readonly Slot[] {
    const served = this.#waiting.splice(0, slots.length);
    for (const [index, settle] of served.entries()) settle(slots[index] ?? null);
    return slots.slice(served.length);
  }

  /** There will be none. */
  dismiss(): void {
    for (const settle of this.#waiting.splice(0)) settle(null);
  }
}
