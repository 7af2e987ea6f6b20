import type { NativeBinding } from '../../native/binding.ts';
import { debug } from '../../observe.ts';

/** The alias tells it from a link that has its name by then. */
interface DetachedLink {
  readonly name: string;
  readonly alias: string;
  /** A slot's, which may have gone before it said whose it was. */
  readonly mayBeBare: boolean;
}

interface Watched extends DetachedLink {
  readonly since: number;
}

/** Longer than the kernel takes to free a namespace that nobody holds, and its links with it. */
const patienceMs = 1_000;
/** Where more are left, it is the kernel that lags: it would free them much sooner than they can be deleted. */
const few = 32;
/** Even then no lag lasts that long. */
const longestLagMs = 30_000;
/** While it lags, as nothing else can be done meanwhile. */
const fewAtOnce = 4;

/**
 * Host links of namespaces that lost their names. The kernel frees them all together with their namespaces, much cheaper
 * than one by one; only what somebody's hold on a namespace keeps is deleted.
 */
export class PinnedLinks {
  readonly #binding: Pick<NativeBinding, 'dump' | 'linkDelete'>;
  /** The oldest first. */
  #links: Watched[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(binding: Pick<NativeBinding, 'dump' | 'linkDelete'>) {
    this.#binding = binding;
  }

  /** Looks at it when its namespace should be gone; keeps no process alive. */
  watch(link: DetachedLink): void {
    this.#links.push({ ...link, since: performance.now() });
    this.#arm();
  }

  #arm(): void {
    this.#timer ??= setTimeout(() => void this.#sweep(this.#take()), patienceMs).unref();
  }

  #take(): readonly Watched[] {
    const links = this.#links;
    this.#links = [];
    this.#timer = null;
    return links;
  }

  async #sweep(links: readonly Watched[]): Promise<void> {
    const left = await this.#present(links);
    const isPinned = ({ since }: Watched) => performance.now() - since > longestLagMs;
    const pinned = left.length > few ? left.slice(0, fewAtOnce).filter(isPinned) : left;
    for (const link of pinned) await this.#delete(link);
    if (pinned.length === left.length) return;
    const gone = new Set(pinned);
    this.#links.unshift(...left.filter((link) => !gone.has(link)));
    this.#arm();
  }

  async #present(links: readonly Watched[]): Promise<readonly Watched[]> {
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
  async #delete({ name, alias, mayBeBare }: DetachedLink): Promise<void> {
    try {
      const isDeleted = await this.#binding.linkDelete({ name, alias });
      if (!isDeleted && mayBeBare) await this.#binding.linkDelete({ name, alias: '' });
    } catch (error) {
      debug('link %s stays: %s', name, (error as Error).message);
    }
  }
}
