import type { NativeBinding } from '../native/binding.ts';
import type { LinkLabel } from '../native/slots.ts';
import { debug } from '../observe.ts';

/** Written when so long nobody has come, so that it keeps nobody from coming; after the longest time in any case. */
const quietMs = 5;
const longestMs = 1_000;

/** Whose the links of slots are that have become a VM's: they say so a moment later. */
export class Labels {
  readonly #binding: Pick<NativeBinding, 'linkLabel'>;
  /** By vmId. */
  readonly #next = new Map<string, LinkLabel>();
  #written: Promise<void> = Promise.resolve();
  /** What is added goes along with a write that is yet to come. */
  #isGathering = false;
  #isAwaited = false;

  constructor(binding: Pick<NativeBinding, 'linkLabel'>) {
    this.#binding = binding;
  }

  add(vmId: string, link: LinkLabel): void {
    this.#next.set(vmId, link);
    if (this.#isGathering) return;
    this.#isGathering = true;
    const before = this.#written;
    this.#written = this.#write().then(() => before);
  }

  /** A VM that goes needs none. One that is on its way is written under the VM's lock, while it has its record, or not at all. */
  forget(vmId: string): void {
    this.#next.delete(vmId);
  }

  /** All that have been added so far. */
  written(): Promise<void> {
    this.#isAwaited = true;
    return this.#written;
  }

  /** What is added meanwhile goes along. */
  async #write(): Promise<void> {
    const lastMs = performance.now() + longestMs;
    for (let count = 0; count < this.#next.size; ) {
      count = this.#next.size;
      await new Promise((resolve) => setTimeout(resolve, quietMs));
      if (this.#isAwaited || performance.now() > lastMs) break;
    }
    this.#isAwaited = false;
    this.#isGathering = false;
    const links = [...this.#next.values()];
    this.#next.clear();
    if (links.length === 0) return;
    await this.#binding
      .linkLabel({ links })
      .catch((error: Error) => debug('%d aliases: %s', links.length, error.message));
  }
}
