import type { NativeBinding } from '../native/binding.ts';
import { debug } from '../observe.ts';

/** The alias tells it from a link that has its name by then. */
interface DetachedLink {
  readonly name: string;
  readonly alias: string;
}

/** Longer than the kernel takes to free a namespace that nobody holds, and its links with it. */
const patienceMs = 1_000;
/** Where more are left, it is the kernel that lags. */
const few = 32;
/** How often its lag is waited for. */
const mostLooks = 10;

/**
 * Host links of namespaces that lost their names. The kernel frees them all together with their namespaces, much cheaper
 * than one by one; only what somebody's hold on a namespace keeps is deleted.
 */
export class PinnedLinks {
  readonly #binding: Pick<NativeBinding, 'dump' | 'linkDelete'>;
  #links: DetachedLink[] = [];
  #looks = 0;
  #timer: NodeJS.Timeout | null = null;

  constructor(binding: Pick<NativeBinding, 'dump' | 'linkDelete'>) {
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

  async #sweep(links: readonly DetachedLink[]): Promise<void> {
    const left = await this.#present(links);
    this.#looks = left.length > few ? this.#looks + 1 : 0;
    if (this.#looks > 0 && this.#looks < mostLooks) {
      for (const link of left) this.watch(link);
      return;
    }
    this.#looks = 0;
    for (const link of left) await this.#delete(link);
  }

  async #present(links: readonly DetachedLink[]): Promise<readonly DetachedLink[]> {
    if (links.length <= few) return links;
    const dump = await this.#binding.dump({ kinds: ['links'] }).catch((error: Error) => {
      debug('links: %s', error.message);
      return null;
    });
    if (dump === null) return links;
    const names = new Set(dump.links.map(({ name }) => name));
    return links.filter(({ name }) => names.has(name));
  }

  /** One that can't be deleted is cut, and gc finds it by its alias. */
  async #delete(link: DetachedLink): Promise<void> {
    await this.#binding
      .linkDelete(link)
      .catch((error: Error) => debug('link %s stays: %s', link.name, error.message));
  }
}
