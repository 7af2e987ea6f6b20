import { setTimeout as sleep } from 'node:timers/promises';
import type { NativeBinding } from '../native/binding.ts';
import type { LinkLabel } from '../native/slots.ts';
import { debug } from '../observe.ts';

/** Written when so long nobody has come, so that it keeps nobody from coming; after the longest time in any case. */
const quietMs = 5;
const longestMs = 100;

interface Label {
  readonly vmId: string;
  readonly link: LinkLabel;
}

/** Whose the links of slots are that have become a VM's: they say so a moment later. */
export class Labels {
  readonly #binding: Pick<NativeBinding, 'linkLabel'>;
  #next: Label[] = [];
  /** By vmId: those that are being written. */
  readonly #writing = new Map<string, Promise<void>>();
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

  /** A VM that goes needs no label, and none is written once this has resolved. */
  async forget(vmId: string): Promise<void> {
    this.#next = this.#next.filter((each) => each.vmId !== vmId);
    await this.#writing.get(vmId);
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
      await sleep(quietMs);
      if (this.#isAwaited || performance.now() > lastMs) break;
    }
    this.#isAwaited = false;
    const labels = this.#next;
    this.#next = [];
    if (labels.length === 0) return;
    const writing = this.#binding.linkLabel({ links: labels.map(({ link }) => link) }).then(
      () => {},
      (error: Error) => debug('%d aliases: %s', labels.length, error.message),
    );
    for (const { vmId } of labels) this.#writing.set(vmId, writing);
    await writing;
    for (const { vmId } of labels) this.#writing.delete(vmId);
  }
}
