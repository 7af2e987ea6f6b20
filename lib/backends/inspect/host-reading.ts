import { once, onceEach } from '../../async/once.ts';
import type { GuardedPort } from '../../native/attachment.ts';
import type { BridgePlan } from '../../native/engine.ts';
import { atStep } from '../../native/kernel-error.ts';
import type { AddressInfo } from '../../native/netlink.ts';
import { type HostLinks, readHostLinks } from '../host/host-link.ts';
import { ensureForwarding, missingForwarding } from '../network/forwarding.ts';
import type { Runtime } from '../network/runtime.ts';
import { inspectBridge } from './bridge.ts';
import { type Finding, onHost } from './finding.ts';

/** Where the host sends packets. */
export interface HostWays {
  /** `link: 0`: to nobody. */
  hasRoute(destination: string, link: number): boolean;
}

/**
 * What is of the host, and not of one VM alone: each part is read when it is first asked for, and once, however many VMs are
 * looked at by it. True of those whose record was there before it was made.
 */
export class HostReading {
  readonly links: () => Promise<HostLinks>;
  readonly addresses: () => Promise<readonly AddressInfo[]>;
  readonly ways: () => Promise<HostWays>;
  /** What of a bridge is not as it was planned. */
  readonly bridge: (plan: BridgePlan) => Promise<readonly Finding[]>;
  /** By the link's name. */
  readonly guarded: () => Promise<ReadonlyMap<string, GuardedPort>>;
  /** What all VMs of a layout share of it; a table that is missing is each VM's own matter. */
  readonly guard: (routed: boolean) => Promise<readonly Finding[]>;
  readonly firewall: () => Promise<readonly Finding[]>;
  readonly forwarding: () => Promise<readonly Finding[]>;

  constructor(runtime: Runtime) {
    const { binding, firewall, network } = runtime;
    this.links = once(() => readHostLinks(binding));
    this.ways = once(async (): Promise<HostWays> => {
      const { routes } = await atStep('route', () => binding.dump({ kinds: ['routes'] }));
      const present = new Set(routes.map(({ destination, link }) => `${destination} ${link}`));
      return { hasRoute: (destination, link) => present.has(`${destination} ${link}`) };
    });
    this.addresses = once(async () => {
      const { addresses } = await atStep('bridge', () => binding.dump({ kinds: ['addresses'] }));
      return addresses;
    });
    this.bridge = onceEach(
      ({ name, addresses }) => [name, ...addresses].join(' '),
      (plan) => inspectBridge(runtime, this, plan),
    );
    this.guarded = once(async () => {
      const ports = await atStep('guard', () => binding.guardList({}));
      return new Map(ports.map((port) => [port.link, port]));
    });
    this.guard = onceEach(String, async (routed) => {
      const parts = await atStep('guard', () => binding.guardCheck({ routed }));
      if (!parts.includes('rules')) return [];
      const again = once(() => atStep('guard', () => binding.guardEnsure({ routed })));
      return [onHost('guard', 'the guard has not the rules that it was made with', again)];
    });
    this.firewall = once(async () => {
      const parts = await atStep('firewall', () => binding.firewallCheck(network.firewall));
      if (parts.length === 0) return [];
      const message = `the firewall of ${network.name} is not as it was made: ${parts.join(', ')}`;
      // Every VM's, and so put back once for all.
      const again = once(() => atStep('firewall', () => firewall.ensure()));
      return [onHost('firewall', message, again)];
    });
    this.forwarding = once(async () => {
      const missing = await missingForwarding(binding, network);
      const again = once(() => ensureForwarding(binding, network));
      return missing.map((key) => onHost('forwarding', `the host does not forward: ${key} is not 1`, again));
    });
  }
}
