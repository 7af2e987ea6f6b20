import type { NativeBinding } from '../native/binding.ts';
import { debug } from '../observe.ts';

/** Longer than the kernel takes to free a namespace that nobody holds, and its links with it. */
const patienceMs = 1_000;

/**
 * Host links of namespaces that lost their names. The kernel frees them all together with their namespaces, much cheaper
 * than one by one; only what somebody's hold on a namespace keeps is deleted.
 */
export class PinnedLinks {
  readonly #binding: Pick<NativeBinding, 'linkDelete'>;
  #names: string[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(binding: Pick<NativeBinding, 'linkDelete'>) {
    this.#binding = binding;
  }

  /** Looks at it when its namespace should be gone; keeps no process alive. */
  watch(name: string): void {
    this.#names.push(name);
    this.#timer ??= setTimeout(() => void this.#sweep(this.#take()), patienceMs).unref();
  }

  #take(): readonly string[] {
    const names = this.#names;
    this.#names = [];
    this.#timer = null;
    return names;
  }

  /** A link that can't be deleted is cut, and gc finds it by its alias. */
  async #sweep(names: readonly string[]): Promise<void> {
    for (const name of names) {
      await this.#binding
        .linkDelete({ name })
        .catch((error: Error) => debug('link %s stays: %s', name, error.message));
    }
  }
}
