import { currentResult } from '../cni/convert.ts';
import type { CacheRecord, Interface } from '../cni/types.ts';
import type { Dump, LinkInfo } from '../native/binding.ts';
import type { Difference } from '../types.ts';
import { atStep } from './kernel-error.ts';
import { addressesOf, tapNameOf } from './network-config.ts';
import type { Runtime } from './runtime.ts';

/** What of the namespace is not as the record says. */
class Inspection {
  readonly differences: Difference[] = [];
  readonly #dump: Dump;

  constructor(dump: Dump) {
    this.#dump = dump;
  }

  /** `null` where it is missing. */
  link(subject: string, name: string): LinkInfo | null {
    const link = this.#dump.links.find((candidate) => candidate.name === name) ?? null;
    if (link === null) this.#differs(subject, `${name} is gone`);
    else if (!link.up) this.#differs(subject, `${name} is down`);
    return link;
  }

  mac(link: LinkInfo, wanted: Interface | undefined): void {
    if (wanted === undefined || wanted.mac === '' || wanted.mac.toLowerCase() === link.mac) return;
    this.#differs('mac', `${link.name} has the MAC ${link.mac} instead of ${wanted.mac}`);
  }

  addresses(link: LinkInfo, ips: readonly string[]): void {
    const present = this.#dump.addresses.filter((address) => address.link === link.index).map(({ ip }) => ip);
    for (const ip of ips) {
      if (!present.includes(ip)) this.#differs('address', `${link.name} has no address ${ip}`);
    }
  }

  routes(link: LinkInfo, destinations: readonly string[]): void {
    const present = this.#dump.routes.filter((route) => route.link === link.index);
    for (const destination of destinations) {
      if (present.some((route) => route.destination === destination)) continue;
      this.#differs('route', `${link.name} has no route to ${destination}`);
    }
  }

  redirection(from: LinkInfo, to: LinkInfo): void {
    const redirects = this.#dump.filters.some(
      ({ link, redirectTo }) => link === from.index && redirectTo === to.index,
    );
    if (!redirects) this.#differs('redirect', `what ${from.name} receives is not sent out of ${to.name}`);
  }

  #differs(subject: string, message: string): void {
    this.differences.push({ subject, message });
  }
}

export async function inspect({ binding }: Runtime, record: CacheRecord): Promise<readonly Difference[]> {
  const { netns, ifName } = record;
  const tapName = record.result === null ? null : tapNameOf(record.result, record);
  if (record.result === null || tapName === null) {
    return [{ subject: 'record', message: 'the record holds no result with a TAP device' }];
  }
  const { interfaces, routes } = currentResult(record.result);
  const dump = await atStep('inside', () =>
    binding.dump({ netns, kinds: ['links', 'addresses', 'routes', 'filters'] }),
  );
  const inspection = new Inspection(dump);
  const link = inspection.link('link', ifName);
  const tap = inspection.link('tap', tapName);
  if (link !== null) {
    inspection.mac(
      link,
      interfaces.find(({ name, sandbox }) => name === ifName && sandbox === netns),
    );
    inspection.addresses(link, addressesOf(record) ?? []);
    inspection.routes(
      link,
      routes.map(({ dst }) => dst),
    );
  }
  if (link !== null && tap !== null) {
    inspection.redirection(link, tap);
    inspection.redirection(tap, link);
  }
  return inspection.differences;
}
