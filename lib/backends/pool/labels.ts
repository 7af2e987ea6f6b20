import type { NativeBinding } from '../../native/binding.ts';
import type { LinkLabel } from '../../native/slots.ts';
import { debug } from '../../observe.ts';
import { labelledWithinMs } from '../host/host-link.ts';

/** Written when so long nobody has come, so that it keeps nobody from coming; after the longest time in any case. */
const quietMs = 5;
const longestMs = labelledWithinMs / 2;
/** In one call: reading what it is told keeps the event loop, about 5 us for each. */
const mostAtOnce = 32;

/** Whose the links of slots are that have become a VM's: they say so a moment later. */
export class Labels {
  readonly #binding: Pick<NativeBinding, 'linkLabel'>;
  /** By vmId. */
  #next = new Map<string, LinkLabel>();
  /** Gathered, and not sent yet; by vmId. */
  #leaving = new Map<string, LinkLabel>();
  #written: Promise<void> = Promise.resolve();
  /** What is added goes along with a write that is yet to come. */
  #isGathering = false;
  #isAwaited = false;
  /** How often one was added, whether or not its VM has gone since. */
  #count = 0;

  constructor(binding: Pick<NativeBinding, 'linkLabel'>) {
    this.#binding = binding;
  }

  add(vmId: string, link: LinkLabel): void {
    this.#next.set(vmId, link);
    this.#count += 1;
    if (this.#isGathering) return;
    this.#isGathering = true;
    this.#written = this.#write(this.#written);
  }

  /**
   * A VM that goes needs none. What it would have been, where it will have none from here: one that is on its way is written
   * under the VM's lock, while it has its record, or not at all.
   */
  forget(vmId: string): LinkLabel | null {
    const label = this.#next.get(vmId) ?? this.#leaving.get(vmId) ?? null;
    this.#next.delete(vmId);
    this.#leaving.delete(vmId);
    return label;
  }

  /** All that have been added so far. */
  written(): Promise<void> {
    if (this.#isGathering) this.#isAwaited = true;
    return this.#written;
  }

  /** One write after another, each in portions: what is added while one is sent goes along with the next. */
  async #write(before: Promise<void>): Promise<void> {
    await this.#gather();
    await before;
    this.#isAwaited = false;
    this.#isGathering = false;
    [this.#next, this.#leaving] = [this.#leaving, this.#next];
    while (this.#leaving.size > 0) await this.#send(this.#takePortion());
  }

  /** What is added meanwhile goes along. */
  async #gather(): Promise<void> {
    const lastMs = performance.now() + longestMs;
    for (let count = 0; count < this.#count; ) {
      count = this.#count;
      await new Promise((resolve) => setTimeout(resolve, quietMs));
      if (this.#isAwaited || performance.now() > lastMs) break;
    }
  }

  #takePortion(): readonly LinkLabel[] {
    const links: LinkLabel[] = [];
    for (const [vmId, link] of this.#leaving) {
      if (links.length >= mostAtOnce) break;
      links.push(link);
      this.#leaving.delete(vmId);
    }
    return links;
  }

  async #send(links: readonly LinkLabel[]): Promise<void> {
    await this.#binding
      .linkLabel({ links })
      .catch((error: Error) => debug('%d aliases: %s', links.length, error.message));
  }
}
