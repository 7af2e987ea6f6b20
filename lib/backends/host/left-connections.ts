import type { NativeBinding } from '../../native/binding.ts';
import type { NativeError } from '../../native/error.ts';
import type { Logger } from '../../types.ts';

/** So long others may come along: a search for each takes longer than one reading for many. */
const gatherMs = 1_000;

interface LeftConnectionsOptions {
  readonly binding: Pick<NativeBinding, 'connectionsForget'>;
  /** Of host-local, which says who has an address by now. */
  readonly directory: string | null;
  readonly network: string;
  readonly logger: Logger;
}

/**
 * Connections that the host tracks of VMs that are gone. Answers to them would reach whoever has the address next, so they
 * are forgotten: a moment after a teardown, which need not wait for it, and in any case before this manager gives the address to
 * another VM.
 */
export class LeftConnections {
  readonly #options: LeftConnectionsOptions;
  /** By address: which of all departures was its last. */
  readonly #left = new Map<string, number>();
  #departures = 0;
  #timer: NodeJS.Timeout | null = null;
  #hasWarned = false;

  constructor(options: LeftConnectionsOptions) {
    this.#options = options;
  }

  /**
   * VMs leave these addresses: told before anybody else can have them, and again when they have left, as nothing is forgotten of
   * those that are somebody's.
   */
  add(ips: readonly string[]): void {
    for (const ip of ips) this.#left.set(ip, ++this.#departures);
    if (ips.length === 0 || this.#timer !== null) return;
    this.#timer = setTimeout(() => void this.settle(), gatherMs).unref();
  }

  /** Until nothing is left of those who had these addresses before whom they belong to now. */
  async forgotten(addresses: readonly { readonly ip: string }[]): Promise<void> {
    if (this.#left.size === 0) return;
    const its = addresses.map(({ ip }) => ip).filter((ip) => this.#left.has(ip));
    if (its.length > 0) await this.#forget(its, null);
  }

  /** Of all that nobody has by now. */
  async settle(): Promise<void> {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#left.size > 0) await this.#forget([...this.#left.keys()], this.#options.directory);
  }

  async #forget(ips: readonly string[], directory: string | null): Promise<void> {
    const before = new Map(ips.map((ip) => [ip, this.#left.get(ip)]));
    try {
      for (const ip of await this.#options.binding.connectionsForget({ ips, directory })) before.delete(ip);
    } catch (error) {
      // Somebody sends to an address all the time: asked again with others that leave, and before it is another VM's.
      if ((error as NativeError).code === 'EBUSY' && directory !== null) return;
      this.#warn(error as Error);
    }
    for (const [ip, departure] of before) if (this.#left.get(ip) === departure) this.#left.delete(ip);
  }

  /** Once: it fails for want of a kernel feature, and so each time. */
  #warn(error: Error): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    const { logger, network } = this.#options;
    const message = `answers to VMs that are gone may reach those that get their addresses: ${error.message}`;
    logger.warn({ err: error, network }, message);
  }
}
