import type { CacheRecord } from '../cni/types.ts';
import type { LinkInfo } from '../native/netlink.ts';
import type { Scope } from '../operation.ts';
import { beyondRepair, type Finding, onHost } from './finding.ts';
import { guard, guardedPort, isGuarded } from './guard.ts';
import { aliasOf, firstInterface, type HostLinks, noPort, portDisabled } from './host-link.ts';
import type { HostReading } from './host-reading.ts';
import { atStep } from './kernel-error.ts';
import type { NativeLayout } from './native-layout.ts';
import { ownerOf } from './native-plan.ts';
import { addressStoreOf } from './network-addresses.ts';
import { addressesOf } from './network-config.ts';
import type { Runtime } from './runtime.ts';

/** What of an attachment's host side is not as its setup left it. */

const addressFileLimit = 4096;

/** The host's link: there, up, its bridge's port or in its network's group, not cut, with its alias and MTU. */
export function inspectLink(
  runtime: Runtime,
  record: CacheRecord,
  links: HostLinks,
  layout: NativeLayout | null,
  mtu: number | null,
): readonly Finding[] {
  const link = links.of(record);
  if (link === null) return [beyondRepair('link', 'the link on the host is gone')];
  const { name, dormant } = link;
  const set = (change: object) => () => atStep('link', () => runtime.binding.linkSet({ name, ...change }));
  const findings: Finding[] = [];
  // Under what bridges know as down and as dormant their ports are disabled, too.
  if (!link.up) findings.push(onHost('link', `${name} is down`, set({ up: true })));
  if (link.portState !== noPort && (dormant || (link.up && link.portState === portDisabled))) {
    const message = `${name} is a ${dormant ? 'dormant' : 'disabled'} port of its bridge`;
    findings.push(onHost('link', message, set({ cut: false })));
  }
  const alias = aliasOf(record);
  if (link.alias !== alias) {
    findings.push(onHost('alias', `${name} does not say whose it is`, set({ alias })));
  }
  if (mtu !== null && link.mtu !== mtu) {
    findings.push(onHost('mtu', `${name} has an MTU of ${link.mtu} instead of ${mtu}`, set({ mtu })));
  }
  if (layout === null) return findings;
  const { linkGroup: group } = layout;
  if (group === null) return [...findings, ...inspectPort(runtime, record, link, links, layout)];
  if (link.group === group) return findings;
  const message = `${name} is in group ${link.group} instead of ${group}, by which the firewall knows it`;
  return [...findings, onHost('link', message, set({ group }))];
}

/** The one that the attachment was made a port of. */
export function bridgeOf(record: CacheRecord, { bridge, bridges }: NativeLayout): string {
  const recorded = firstInterface(record) ?? bridge;
  return bridges.includes(recorded) ? recorded : bridge;
}

function inspectPort(
  { binding, network }: Runtime,
  record: CacheRecord,
  { name, master, ...port }: LinkInfo,
  links: HostLinks,
  layout: NativeLayout,
): readonly Finding[] {
  const { hairpin, isolated } = layout;
  const bridge = bridgeOf(record, layout);
  const there = links.all.find((link) => link.kind === 'bridge' && link.name === bridge);
  const setOptions = () => binding.linkSet({ name, hairpin, isolated });
  if (there !== undefined && there.index === master) {
    if (port.hairpin === hairpin && port.isolated === isolated) return [];
    const message = `${name} is a port of ${bridge} with other options: ${optionsText(port)} instead of ${optionsText({ hairpin, isolated })}`;
    return [onHost('bridge', message, () => atStep('bridge', setOptions))];
  }
  const join = async () => {
    // Ensured when the network was opened; somebody may have removed it since.
    const plan = network.bridges.find((each) => each.name === bridge);
    if (plan !== undefined) await binding.bridgeEnsure(plan);
    await binding.linkSet({ name, master: bridge, up: true });
    if (hairpin || isolated) await setOptions();
  };
  const message = `${name} is no port of ${bridge}${there === undefined ? ', which is gone' : ''}`;
  return [onHost('bridge', message, () => atStep('bridge', join))];
}

const optionsText = ({ hairpin, isolated }: Pick<NativeLayout, 'hairpin' | 'isolated'>) =>
  `hairpin ${hairpin ? 'on' : 'off'}, isolated ${isolated ? 'on' : 'off'}`;

/** The elements by which the guest is held to what it is. */
export async function inspectGuard(
  { binding, network }: Runtime,
  host: HostReading,
  record: CacheRecord,
): Promise<readonly Finding[]> {
  const wanted = network.guarded && record.result !== null ? guardedPort(record, record.result) : null;
  if (wanted === null) return [];
  const port = (await host.guarded()).get(wanted.link);
  if (port !== undefined && isGuarded(wanted, [port])) return [];
  const message = `what comes in on ${wanted.link} is not held to its address and MAC`;
  return [onHost('guard', message, () => guard(binding, wanted))];
}

/** The address's file in the store. */
export async function inspectReservation(
  { binding, network }: Runtime,
  record: CacheRecord,
  layout: NativeLayout | null,
  scope: Scope,
): Promise<readonly Finding[]> {
  const directory = addressStoreOf(network);
  if (directory === null) return [];
  const owner = ownerOf(record);
  const findings: Finding[] = [];
  for (const ip of addressesOf(record) ?? []) {
    const text = await atStep('reservation', () =>
      binding.fileRead({ directory, name: ip, limit: addressFileLimit }),
    );
    if (text?.trim() === owner) continue;
    const request = layout?.sets.find(({ ranges }) => ranges.length > 0);
    if (text !== null || request === undefined) {
      const message = text === null ? `${ip} is not reserved` : `${ip} is reserved for somebody else`;
      findings.push(beyondRepair('reservation', message));
      continue;
    }
    const reserve = () =>
      binding.addressReserve({
        ...{ directory, owner, timeoutMs: scope.remainingMs },
        requests: [{ set: request.index, ranges: request.ranges, excluded: [], address: ip }],
      });
    findings.push(onHost('reservation', `${ip} is not reserved`, () => atStep('reservation', reserve)));
  }
  return findings;
}
