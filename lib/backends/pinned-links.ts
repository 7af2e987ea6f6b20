import type { NativeBinding } from '../native/binding.ts';
import { debug } from '../observe.ts';

/** The alias tells it from a link that has its name by then. */
interface DetachedLink {
  readonly name: string;
  readonly alias: string;
}

/** Longer than the kernel takes to free a namespace that nobody holds, and its links with it. */
const patienceMs = 1_000;

/**
 * Host links of namespaces that lost their names. The kernel frees them all together with their namespaces, much cheaper
 * than one by one; only what somebody's hold on a namespace keeps is deleted.
 */
export class PinnedLinks {
  readonly #binding: Pick<NativeBinding, 'linkDelete'>;
  #links: DetachedLink[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(binding: Pick<NativeBinding, 'linkDelete'>) {
    this.#binding = binding;
  }

  /** Looks at it when its namespace should be gone; keeps no process alive. */
  watch(link: DetachedLink): void {
    this.#links.push(link);
    this.#timer ??= setTimeout(() => void this.#sweep(this.#take()), patienceMs).unref();
  }

  #take(): readonly DetachedLink[] {
    const links = this.#links;
    this.#links = [];
    this.#timer = null;
    return links;
  }

  /** A link that can't be deleted is cut, and gc finds it by its alias. */
  async #sweep(links: readonly DetachedLink[]): Promise<void> {
    for (const link of links) {
      await this.#binding
        .linkDelete(link)
        .catch((error: Error) => debug('link %s stays: %s', link.name, error.message));
    }
  }
}
