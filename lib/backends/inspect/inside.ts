import { currentResult } from '../../cni/convert.ts';
import { isIpv6Text } from '../../cni/ip-text.ts';
import type { CacheRecord, Result, Route } from '../../cni/types.ts';
import type { Dump, LinkInfo } from '../../native/netlink.ts';
import { tapNameOf } from '../attachment/network-config.ts';
import { readInside } from '../attachment/rebuild.ts';
import { recordedOwner } from '../attachment/runtime-conf.ts';
import type { NativeLayout } from '../network/layout.ts';
import { withGateways } from '../network/layout.ts';
import type { Runtime } from '../network/runtime.ts';
import { beyondRepair, type Finding, onInside } from './finding.ts';

/** `TC_H_INGRESS`, as the handle of a qdisc's parent. */
const ingressParent = 0xffff_fff1;

/** Whether it is not one of the main table's, of its metric and scope: what no amendment can make. */
const hasPlace = ({ priority, table, scope }: Route) => priority !== 0 || table !== null || scope !== null;

/** What of the namespace is not as the record says, and its layout, where the chain is one that we know. */
class Inspection {
  readonly findings: Finding[] = [];
  readonly #dump: Dump;
  readonly #record: CacheRecord;
  readonly #result: Result;
  readonly #layout: NativeLayout | null;
  /** `null`: that of the link itself. */
  readonly #mtu: number | null;

  constructor(
    dump: Dump,
    record: CacheRecord,
    result: Result,
    layout: NativeLayout | null,
    mtu: number | null,
  ) {
    this.#dump = dump;
    this.#record = record;
    this.#result = result;
    this.#layout = layout;
    this.#mtu = mtu;
  }

  run(tapName: string): void {
    const { ifName } = this.#record;
    const link = this.#find(ifName);
    const tap = this.#find(tapName);
    if (link === null) this.findings.push(beyondRepair('link', `${ifName} is gone`));
    else this.#link(link);
    if (tap === null) this.#missingTap(tapName, link);
    else this.#tap(tap, link);
    if (link === null || tap === null) return;
    this.#redirection(link, tap);
    this.#redirection(tap, link);
  }

  #find(wanted: string): LinkInfo | null {
    return this.#dump.links.find(({ name }) => name === wanted) ?? null;
  }

  #link(link: LinkInfo): void {
    const { name } = link;
    if (!link.up) this.findings.push(onInside('link', `${name} is down`, { kind: 'link', name, up: true }));
    this.#mac(link);
    this.#sameMtu(link);
    this.#addresses(link);
    this.#routes(link);
  }

  #mac({ name, mac }: LinkInfo): void {
    const { interfaces } = this.#result;
    const { netns } = this.#record;
    const wanted =
      interfaces.find((each) => each.name === name && each.sandbox === netns)?.mac.toLowerCase() ?? '';
    if (wanted === '' || wanted === mac) return;
    const message = `${name} has the MAC ${mac} instead of ${wanted}`;
    this.findings.push(onInside('mac', message, { kind: 'link', name, mac: wanted }));
  }

  #sameMtu({ name, mtu }: LinkInfo): void {
    if (this.#mtu === null || this.#mtu === mtu) return;
    const message = `${name} has an MTU of ${mtu} instead of ${this.#mtu}`;
    this.findings.push(onInside('mtu', message, { kind: 'link', name, mtu: this.#mtu }));
  }

  #addresses({ name, index }: LinkInfo): void {
    const present = this.#dump.addresses.filter(({ link }) => link === index);
    const wanted = new Set(this.#result.ips.map(({ address }) => address));
    for (const address of wanted) {
      if (present.some(({ ip, prefixLength }) => `${ip}/${prefixLength}` === address)) continue;
      const message = `${name} has no address ${address}`;
      this.findings.push(onInside('address', message, { kind: 'address', link: name, address }));
    }
  }

  /** Where the chain is not known, only that there is such a route: which gateway it has is its plugins' to say. */
  #routes({ name, index }: LinkInfo): void {
    const routes = this.#result.routes.map(({ dst, gw }) => ({ destination: dst, gateway: gw }));
    const ways = this.#result.ips.flatMap(({ gateway }) =>
      gateway === null ? [] : [{ isIpv6: isIpv6Text(gateway), gateway }],
    );
    const ofPlugins = new Set(this.#result.routes.filter(hasPlace).map(({ dst }) => dst));
    for (const { destination, gateway } of withGateways(routes, ways)) {
      const isSame = (route: Dump['routes'][number]) =>
        route.link === index &&
        route.destination === destination &&
        (this.#layout === null || route.gateway === gateway);
      if (this.#dump.routes.some(isSame)) continue;
      const message = `${name} has no route to ${destination}${gateway === null ? '' : ` by ${gateway}`}`;
      this.findings.push(
        ofPlugins.has(destination)
          ? beyondRepair('route', `${message}, which has what only plugins give it`)
          : onInside('route', message, { kind: 'route', link: name, destination, gateway }),
      );
    }
  }

  #missingTap(name: string, link: LinkInfo | null): void {
    const message = `${name} is gone`;
    const owner = recordedOwner(this.#record);
    if (owner === null || link === null) return void this.findings.push(beyondRepair('tap', message));
    const mtu = this.#mtu ?? link.mtu;
    const { name: other } = link;
    this.findings.push(
      onInside(
        ...(['tap', message] as const),
        { kind: 'tap', name, ...owner },
        { kind: 'link', name, mtu, up: true },
        { kind: 'redirect', from: name, to: other },
        { kind: 'redirect', from: other, to: name },
      ),
    );
  }

  #tap(tap: LinkInfo, link: LinkInfo | null): void {
    const { name } = tap;
    if (tap.kind !== 'tun') return void this.findings.push(beyondRepair('tap', `${name} is no TAP device`));
    if (!tap.up) this.findings.push(onInside('tap', `${name} is down`, { kind: 'link', name, up: true }));
    const mtu = this.#mtu ?? link?.mtu ?? tap.mtu;
    if (mtu !== tap.mtu) {
      const message = `${name} has an MTU of ${tap.mtu} instead of ${mtu}`;
      this.findings.push(onInside('mtu', message, { kind: 'link', name, mtu }));
    }
    const owner = recordedOwner(this.#record);
    if (owner === null || (owner.uid === tap.tapUid && owner.gid === tap.tapGid)) return;
    const message = `${name} belongs to user ${tap.tapUid} and group ${tap.tapGid} instead of ${owner.uid} and ${owner.gid}`;
    this.findings.push(onInside('tap-owner', message, { kind: 'tap', name, ...owner }));
  }

  #redirection(from: LinkInfo, to: LinkInfo): void {
    const { filters, qdiscs } = this.#dump;
    if (filters.some(({ link, redirectTo }) => link === from.index && redirectTo === to.index)) return;
    const redirect = { kind: 'redirect', from: from.name, to: to.name } as const;
    const hasQdisc = qdiscs.some(({ link, parent }) => link === from.index && parent === ingressParent);
    this.findings.push(
      hasQdisc
        ? onInside('filter', `what ${from.name} receives is not sent out of ${to.name}`, redirect)
        : onInside('qdisc', `${from.name} has no ingress qdisc`, redirect),
    );
  }
}

export async function inspectInside(
  runtime: Runtime,
  record: CacheRecord,
  layout: NativeLayout | null,
  mtu: number | null,
): Promise<readonly Finding[]> {
  const tapName = record.result === null ? null : tapNameOf(record.result, record);
  if (record.result === null || tapName === null) {
    return [beyondRepair('record', 'the record holds no result with a TAP device')];
  }
  const dump = await readInside(runtime, record.netns);
  const inspection = new Inspection(dump, record, currentResult(record.result), layout, mtu);
  inspection.run(tapName);
  return inspection.findings;
}
