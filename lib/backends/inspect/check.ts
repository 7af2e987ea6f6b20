import { parseAnyConf } from '../../cni/conflist.ts';
import type { CacheRecord } from '../../cni/types.ts';
import type { LinkInfo } from '../../native/netlink.ts';
import type { AnchorState } from '../../native/sys.ts';
import type { Scope } from '../../operation.ts';
import type { Difference } from '../../types.ts';
import { wasSlot } from '../attachment/network-config.ts';
import { layoutOf } from '../attachment/records.ts';
import { isOurs } from '../host/anchor.ts';
import { labelledWithinMs, ownLink } from '../host/host-link.ts';
import type { HeldLock } from '../host/locks.ts';
import { networkFacts } from '../network/facts.ts';
import { givenMtu } from '../network/given-mtu.ts';
import type { NativeLayout } from '../network/layout.ts';
import type { Network } from '../network/network.ts';
import type { Runtime } from '../network/runtime.ts';
import { bridgeShare } from './bridge.ts';
import { beyondRepair, type Finding, onHost } from './finding.ts';
import { inspectGuard, inspectLink, inspectReservation } from './host.ts';
import type { HostReading } from './host-reading.ts';
import { inspectInside } from './inside.ts';
import { inspectRoutes } from './routes.ts';

/** What of an attachment is not as it should be, and how each thing is put back. */

/** What a backend can say besides: plugins have a CHECK of their own. */
export type InspectFurther = (
  record: CacheRecord,
  lock: HeldLock,
  scope: Scope,
) => Promise<readonly Difference[]>;

/** By which the firewall knows the host's link; `null`: by its bridge, or not at all. */
function groupOf(
  { list }: Network,
  { config, result }: CacheRecord,
  layout: NativeLayout | null,
): number | null {
  if (layout !== null) return layout.linkGroup;
  if (result === null || ownLink(result) === null) return null;
  const own = config === '' || config === list.text ? list : parseAnyConf(config, 'the record');
  return networkFacts(own).linkGroup ?? null;
}

export class Check {
  readonly #runtime: Runtime;
  readonly #further: InspectFurther;
  readonly #host: HostReading;
  readonly #lock: HeldLock;
  readonly #scope: Scope;

  constructor(runtime: Runtime, further: InspectFurther, host: HostReading, lock: HeldLock, scope: Scope) {
    this.#runtime = runtime;
    this.#further = further;
    this.#host = host;
    this.#lock = lock;
    this.#scope = scope;
  }

  async run(vmId: string, record: CacheRecord): Promise<readonly Finding[]> {
    const { anchors, network } = this.#runtime;
    const scope = this.#scope;
    scope.step = 'link';
    const layout = record.config === '' ? network.layout : layoutOf(this.#runtime, record);
    const links = await this.#host.links();
    const mtu = givenMtu(record, layout, links.of(record));
    const { plan, port } = bridgeShare(this.#runtime, record, layout);
    const isAnchor = anchors.vmIdOf(record.netns) !== null;
    const group = isAnchor ? groupOf(network, record, layout) : null;
    const onLink = inspectLink(this.#runtime, record, links, { group, port, mtu });
    // Other runtimes neither say on a link whose it is, nor give it its group, nor guard it.
    const isToSay = isAnchor && !(await this.#isYetToSay(record, links.of(record)));
    const findings = [
      ...(plan === null ? [] : await this.#host.bridge(plan)),
      ...onLink
        .filter(({ subject }) => isToSay || subject !== 'alias')
        .filter(({ subject }) => isAnchor || subject !== 'guard'),
    ];
    findings.push(...(await inspectRoutes(this.#runtime, this.#host, record, layout)));
    findings.push(...(await inspectReservation(this.#runtime, record, layout, scope)));
    if (isAnchor) findings.push(...(await inspectGuard(this.#runtime, this.#host, record)));
    findings.push(...(await this.#host.firewall()), ...(await this.#host.forwarding()));
    scope.step = 'anchor';
    const state = isAnchor ? await anchors.state(vmId, this.#lock) : await anchors.stateAt(record.netns);
    if (isAnchor ? !isOurs(state) : state.kind !== 'namespace') {
      findings.push(this.#lostAnchor(vmId, record, state));
      return findings;
    }
    scope.step = 'inside';
    findings.push(...(await inspectInside(this.#runtime, record, layout, mtu)));
    const more = await this.#further(record, this.#lock, scope);
    return [...findings, ...more.map((difference) => ({ ...difference, fix: null }))];
  }

  /** A slot's link says a moment after the setup whose it is, and only the manager of its pool can wait for that. */
  async #isYetToSay(record: CacheRecord, link: LinkInfo | null): Promise<boolean> {
    if (link?.alias !== '' || !wasSlot(record)) return false;
    const version = await this.#runtime.cache.version(record);
    const ageMs = Date.now() - (version?.modifiedMs ?? 0);
    return ageMs >= 0 && ageMs < labelledWithinMs;
  }

  #lostAnchor(vmId: string, { netns }: CacheRecord, { kind, claimed }: AnchorState): Finding {
    const { anchors } = this.#runtime;
    const message = `${netns} is not the VM's namespace`;
    if (anchors.vmIdOf(netns) !== vmId || kind === 'other' || (kind === 'namespace' && !claimed)) {
      return beyondRepair('anchor', message);
    }
    return onHost('anchor', message, async () => {
      if (!(await anchors.restore(vmId, this.#lock))) throw new Error(`the namespace of ${vmId} is gone`);
    });
  }
}
