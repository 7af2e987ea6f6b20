import type { NativeBinding } from '../native/binding.ts';
import type { LinkLabel } from '../native/slots.ts';
import { debug } from '../observe.ts';

/** Written when so long nobody has come, so that it keeps nobody from coming; after the longest time in any case. */
const quietMs = 5;
const longestMs = 1_000;

interface Label {
  readonly vmId: string;
  readonly link: LinkLabel;
}

/** Whose the links of slots are that have become a VM's: they say so a moment later. */
export class Labels {
  readonly #binding: Pick<NativeBinding, 'linkLabel'>;
  #next: Label[] = [];
  #written: Promise<void> = Promise.resolve();
  #isAwaited = false;

  constructor(binding: Pick<NativeBinding, 'linkLabel'>) {
    this.#binding = binding;
  }

  add(label: Label): void {
    this.#next.push(label);
    if (this.#next.length > 1) return;
    const before = this.#written;
    this.#written = this.#write().then(() => before);
  }

  /** A VM that goes needs none. One that is on its way is written under the VM's lock, while it has its record, or not at all. */
  forget(vmId: string): void {
    this.#next = this.#next.filter((each) => each.vmId !== vmId);
  }

  /** All that have been added so far. */
  written(): Promise<void> {
    this.#isAwaited = true;
    return this.#written;
  }

  /** What is added meanwhile goes along. */
  async #write(): Promise<void> {
    const lastMs = performance.now() + longestMs;
    for (let count = 0; count < this.#next.length; ) {
      count = this.#next.length;
      await new Promise((resolve) => setTimeout(resolve, quietMs));
      if (this.#isAwaited || performance.now() > lastMs) break;
    }
    this.#isAwaited = false;
    const labels = this.#next;
    this.#next = [];
    if (labels.length === 0) return;
    await this.#binding
      .linkLabel({ links: labels.map(({ link }) => link) })
      .catch((error: Error) => debug('%d aliases: %s', labels.length, error.message));
  }
}
