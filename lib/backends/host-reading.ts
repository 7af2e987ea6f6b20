import type { GuardedPort } from '../native/attachment.ts';
import type { AddressInfo } from '../native/netlink.ts';
import { type Finding, onHost } from './finding.ts';
import { type HostLinks, readHostLinks } from './host-link.ts';
import { atStep } from './kernel-error.ts';
import type { Runtime } from './runtime.ts';

/** Where the host sends packets, and which addresses its links have. */
export interface HostWays {
  readonly addresses: readonly AddressInfo[];
  /** `link: 0`: to nobody. */
  hasRoute(destination: string, link: number): boolean;
}

function once<T>(read: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | null = null;
  return () => {
    made ??= read();
    return made;
  };
}

/**
 * What is of the host, and not of one VM alone: each part is read when it is first asked for, and once, however many VMs are
 * looked at by it. True of those whose record was there before it was made.
 */
export class HostReading {
  readonly links: () => Promise<HostLinks>;
  readonly ways: () => Promise<HostWays>;
  /** By the link's name. */
  readonly guarded: () => Promise<ReadonlyMap<string, GuardedPort>>;
  readonly firewall: () => Promise<readonly Finding[]>;

  constructor({ binding, firewall, network }: Runtime) {
    this.links = once(() => readHostLinks(binding));
    this.ways = once(async () => {
      const { addresses, routes } = await atStep('route', () =>
        binding.dump({ kinds: ['addresses', 'routes'] }),
      );
      const present = new Set(routes.map(({ destination, link }) => `${destination} ${link}`));
      return { addresses, hasRoute: (destination, link) => present.has(`${destination} ${link}`) };
    });
    this.guarded = once(async () => {
      const ports = await atStep('guard', () => binding.guardList({}));
      return new Map(ports.map((port) => [port.link, port]));
    });
    this.firewall = once(async () => {
      const parts = await atStep('firewall', () => binding.firewallCheck(network.firewall));
      if (parts.length === 0) return [];
      const message = `the firewall of ${network.name} is not as it was made: ${parts.join(', ')}`;
      // Every VM's, and so put back once for all.
      const again = once(() => atStep('firewall', () => firewall.ensure()));
      return [onHost('firewall', message, again)];
    });
  }
}
